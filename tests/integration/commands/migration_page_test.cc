// docs/migration.md, word for word: every command of it is read out of the page and run, in a mount
// namespace where /etc/postfix is a private instance's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/integration/mail_world.h"

namespace proxymux::integration {
namespace {

namespace fs = std::filesystem;
using harness::CommandResult;
using testing::HasSubstr;

// Of lines that are set apart, and between backticks where there is more than the program's name.
bool IsCommand(const std::string& text) {
  static const std::regex command(
      "(proxymux|postmap|postconf|postfix|postmulti|install|ln|SELECT) [^ ].*|scripts/.*");
  static const std::regex service_line("\\w+ +unix .*");
  return std::regex_match(text, command) && !std::regex_match(text, service_line);
}

struct Command {
  std::string section, text;
  bool done = false;
};

std::vector<Command> CommandsOf(const std::string& page) {
  std::vector<Command> commands;
  std::istringstream lines(page);
  std::string section;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("## ")) section = line.substr(3);
    const std::size_t indent = line.find_first_not_of(' ');
    if (indent != std::string::npos && indent >= 4) {
      if (IsCommand(line.substr(indent))) commands.push_back({section, line.substr(indent)});
      continue;
    }
    static const std::regex quoted("`([^`]+)`");
    for (std::sregex_iterator at(line.begin(), line.end(), quoted), end; at != end; ++at) {
      if (IsCommand((*at)[1])) commands.push_back({section, (*at)[1]});
    }
  }
  return commands;
}

void Bind(const std::string& from, const char* to) {
  if (mount(from.c_str(), to, nullptr, MS_BIND, nullptr) != 0) {
    throw std::runtime_error("mount " + from + " on " + to);
  }
}

class MigrationPage : public testing::Test {
 protected:
  MigrationPage() : page_(harness::ReadFile("docs/migration.md")), commands_(CommandsOf(page_)) {
    // What a first look would find installed beside main.cf and master.cf.
    fs::copy("/etc/postfix", postfix_.config_directory(),
             fs::copy_options::recursive | fs::copy_options::skip_existing |
                 fs::copy_options::copy_symlinks);
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr)) {
      throw std::runtime_error("no mount namespace");
    }
    for (const char* name : {"/programs", "/logs", "/work/bazel-bin/proxy"}) {
      fs::create_directories(directory_ + name);
    }
    harness::WriteFile(directory_ + "/logs/mail.log",
                       "mx postfix/lmtp[7]: A1: to=<" + harness::AliasOf(4) + ">, relay=x\n");
    harness::WriteFile(directory_ + "/work/keys", harness::AliasOf(4) + "\nnobody@example.com\n");
    fs::create_symlink(harness::ProxymuxBinary(), directory_ + "/work/bazel-bin/proxy/proxymux");
    Bind(postfix_.config_directory(), "/etc/postfix");
    Bind(directory_ + "/programs", "/usr/local/sbin");
    Bind(directory_ + "/logs", "/var/log");
    for (harness::PostgresCluster* server : {&world_.first(), &world_.second()}) {
      server->Sql("mail", "INSERT INTO alias VALUES ('user@example.com', 'box@example.net')");
    }
    postfix_.Start();
  }

  // The next command of that section that begins so.
  Command& Find(const std::string& section, const std::string& beginning) {
    const auto at = std::ranges::find_if(commands_, [&](const Command& command) {
      return !command.done && command.section == section && command.text.starts_with(beginning);
    });
    if (at == commands_.end()) throw std::runtime_error(section + ": no command " + beginning);
    at->done = true;
    return *at;
  }

  CommandResult Run(const std::string& section, const std::string& beginning,
                    const std::string& input = "") {
    harness::CommandOptions options;
    options.directory = directory_ + "/work";
    options.environment["PATH"] = "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin";
    options.input = input;
    options.limit = harness::seconds(300);
    std::vector<std::string> words = {"bash", "-o", "pipefail", "-c",
                                      Find(section, beginning).text};
    // A question is asked on a terminal only.
    if (!input.empty()) words = {"script", "-q", "-e", "-c", words.back(), "/dev/null"};
    return harness::RunCommand(words, options);
  }
  std::string Succeed(const std::string& section, const std::string& beginning,
                      const std::string& input = "") {
    const CommandResult result = Run(section, beginning, input);
    EXPECT_EQ(result.status, 0) << beginning << "\n" << result.out << result.err << postfix_.Log();
    return result.out;
  }
  // One that is tried elsewhere, or needs what this page leaves open.
  void NotHere(const std::string& section, const std::string& beginning) {
    Find(section, beginning);
  }

  // In the place of the line of that name, or at the end, a line of the page.
  void WriteServiceLine(const std::string& name) {
    std::smatch line;
    ASSERT_TRUE(std::regex_search(page_, line, std::regex("\n    (" + name + " +unix [^\n]+)\n")));
    std::string text = harness::ReadFile("/etc/postfix/master.cf");
    const std::regex old("(^|\n)" + name + " +unix[^\n]*");
    text = std::regex_search(text, old) ? std::regex_replace(text, old, "$1" + line[1].str())
                                        : text + line[1].str() + "\n";
    postfix_.WriteConfig("master.cf", text, 0644);
  }
  // master(8) reads its files again when it comes to it.
  void ExpectServed() {
    EXPECT_TRUE(harness::Eventually([&] {
      const CommandResult answer = harness::RunCommand(
          {"postmap", "-q", "user@example.com", "proxy:pgsql:/etc/postfix/pgsql-aliases.cf"});
      return answer.out == "box@example.net\n" && !postfix_.Pids("proxymux").empty();
    })) << postfix_.Log();
  }

  static harness::PostfixInstance::Options Before() {
    auto options = MailWorld::Instance().Options(harness::Service::kStock);
    options.approved = {"pgsql:/etc/postfix/pgsql-aliases.cf"};
    // Asks for numbers: its errors would be told.
    std::erase_if(options.tables,
                  [](const harness::TableFile& table) { return table.name == "pgsql-id.cf"; });
    return options;
  }

  MailWorld& world_ = MailWorld::Instance();
  const std::string directory_ = world_.NewDirectory();
  harness::PostfixInstance postfix_{world_.NewDirectory(), Before()};
  const std::string page_;
  std::vector<Command> commands_;
};

TEST_F(MigrationPage, EveryCommandInItsPlace) {
  const std::string before = "Before", beside = "Beside stock: try it",
                    in_place = "In stock's place", after = "After";
  NotHere(before, "scripts/package");  // scripts/package-test
  NotHere(before, "scripts/setup");    // whoever runs this has done so
  Succeed(before, "install ");
  Succeed(before, "ln ");
  EXPECT_LE(Run(before, "proxymux check").status, 1);
  EXPECT_EQ(Succeed(before, "postmap -q user@"), "box@example.net\n");
  EXPECT_EQ(Succeed(before, "proxymux lookup user@"), "box@example.net\n");
  Succeed(before, "postmap -q - ");
  EXPECT_EQ(Succeed(before, "proxymux lookup - "), "") << "stock's answers";
  EXPECT_THAT(Succeed(before, "proxymux compare"),
              HasSubstr("pgsql:/etc/postfix/pgsql-aliases.cf"));
  NotHere(before, "postmap -q");  // said of its form

  const std::string master_cf = harness::ReadFile("/etc/postfix/master.cf");
  Succeed(beside, "postmulti -l");
  Succeed(beside, "proxymux install", "yes\n");
  ExpectServed();
  Succeed(beside, "proxymux uninstall", "yes\n");
  postfix_.WriteConfig("master.cf", master_cf, 0644);
  WriteServiceLine("proxymux");
  Succeed(beside, "postconf -e");
  Succeed(beside, "postfix reload");
  ExpectServed();
  Succeed(beside, "postfix upgrade-configuration");
  Succeed(beside, "postconf -X");
  Succeed(beside, "postfix reload");

  postfix_.WriteConfig("master.cf", master_cf, 0644);
  Succeed(in_place, "proxymux install --in-place", "yes\n");
  ExpectServed();
  Succeed(in_place, "proxymux uninstall", "yes\n");
  WriteServiceLine("proxymap");
  Succeed(in_place, "postfix reload");
  Succeed(in_place, "postfix upgrade-configuration");
  EXPECT_LE(Run(in_place, "proxymux check").status, 1);
  Succeed(in_place, "postfix reload");
  ExpectServed();
  NotHere(in_place, "postfix reload");  // what it costs: install_running_test

  NotHere("Without master(8)", "proxymux serve");  // standalone_test

  EXPECT_THAT(Succeed(after, "proxymux ctl status"), HasSubstr("\n/etc/postfix/pgsql-aliases.cf "));
  NotHere(after, "postmulti -i NAME");  // master_cf_test
  NotHere(after, "postmap -q");         // said of what was asked before
  const std::string& count = Find(after, "SELECT").text;
  EXPECT_NE(world_.first().Sql("mail", count) + world_.second().Sql("mail", count), "");
  NotHere("What differs on purpose", "proxymux check");
  Succeed("Queries that call functions", "proxymux ctl status --json");
  Succeed("Queries that call functions", "proxymux ctl status --json | jq");

  for (const Command& command : commands_) {
    EXPECT_TRUE(command.done) << command.section << ": `" << command.text << "` is not tried here";
  }
}

}  // namespace
}  // namespace proxymux::integration
