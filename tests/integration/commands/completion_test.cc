// What the shells complete of a command line, in the shells themselves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/harness/postfix_instance.h"
#include "tests/harness/process.h"
#include "tests/harness/temp_directory.h"

namespace proxymux::integration {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Completion : public testing::Test {
 protected:
  void SetUp() override {
    harness::WriteFile(directory_ / "a_file", "");
    std::filesystem::create_symlink(harness::ProxymuxBinary(), directory_ / "proxymux");
    std::filesystem::copy_file("packaging/completions/zsh", directory_ / "_proxymux");
  }

  // The words that `line` could go on with; its last one may be empty.
  std::string Bash(const std::string& line) const {
    return Run({"bash", "-c",
                R"(source "$1"; compopt() { :; }
                   read -ra COMP_WORDS <<<"$2"; [[ $2 != *" " ]] || COMP_WORDS+=("")
                   COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _proxymux; printf '%s|' "${COMPREPLY[@]}")",
                "bash", std::filesystem::absolute("packaging/completions/bash"), line});
  }
  // What stands on the line of an interactive shell after the TAB key.
  std::string Zsh(const std::string& line) const {
    const std::string text = Run({"zsh", "-f", "-c", R"(
      zmodload zsh/zpty
      zpty shell zsh -f -i
      zpty -w shell "fpath=($1 \$fpath); autoload -U compinit; compinit -D -u; setopt no_beep"
      zpty -w shell 'show() { print -r -- "LINE=<$BUFFER>"; BUFFER= }; zle -N show; bindkey "^X" show'
      zpty -w shell 'print -r -- "ready""."'
      zpty -r -m shell said '*ready.*'
      zpty -w -n shell "$2"$'\t\x18'
      zpty -r -m shell said '*LINE=<*>*'
      print -r -- "$said")",
                                  "zsh", directory_.path(), line});
    const std::size_t at = text.rfind("LINE=<");
    return at == std::string::npos ? text : text.substr(at, text.find('>', at) + 1 - at);
  }

 private:
  std::string Run(const std::vector<std::string>& words) const {
    harness::CommandOptions options;
    options.directory = directory_.path();
    options.environment = {{"PATH", directory_.path() + ":/usr/bin:/bin"},
                           {"HOME", directory_.path()},
                           {"TERM", "dumb"},
                           {"LANG", "C"}};
    const harness::CommandResult result = harness::RunCommand(words, options);
    EXPECT_EQ(result.err, "");
    return result.out;
  }

  harness::TempDirectory directory_;
};

TEST_F(Completion, Bash) {
  EXPECT_THAT(Bash("proxymux "), AllOf(HasSubstr("check|"), HasSubstr("ctl|"), HasSubstr("serve|"),
                                       Not(HasSubstr("drain"))));
  EXPECT_EQ(Bash("proxymux ctl dr"), "drain|");
  EXPECT_THAT(Bash("proxymux ctl status --"),
              AllOf(HasSubstr("--interval|"), HasSubstr("--json|"), HasSubstr("--help|")));
  EXPECT_EQ(Bash("proxymux check --off"), "--offline|");
  EXPECT_EQ(Bash("proxymux check -c /etc/x --off"), "--offline|");
  EXPECT_EQ(Bash("proxymux lookup somebody --expl"), "--explain|");
}

TEST_F(Completion, Zsh) {
  EXPECT_EQ(Zsh("proxymux che"), "LINE=<proxymux check >");
  EXPECT_EQ(Zsh("proxymux ctl dr"), "LINE=<proxymux ctl drain >");
  EXPECT_EQ(Zsh("proxymux ctl status --int"), "LINE=<proxymux ctl status --interval >");
  EXPECT_EQ(Zsh("proxymux check -c /etc/x --off"), "LINE=<proxymux check -c /etc/x --offline >");
  EXPECT_EQ(Zsh("proxymux lookup somebody --expl"), "LINE=<proxymux lookup somebody --explain >");
  EXPECT_EQ(Zsh("proxymux config show -c a_"), "LINE=<proxymux config show -c a_file >");
}

}  // namespace
}  // namespace proxymux::integration
