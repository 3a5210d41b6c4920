#include "proxy/install/staged_edit.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "config/postfix/postconf_run.h"
#include "config/postfix/program_output.h"
#include "proxy/text/shown_text.h"
#include "proxy/text/text_file.h"

namespace proxymux::proxy {
namespace {

namespace fs = std::filesystem;

class Staging {
 public:
  Staging(const ConfigFile& main_cf, const ConfigFile& master_cf) : files_{&main_cf, &master_cf} {}
  ~Staging() {
    std::error_code ignored;
    if (!directory_.empty()) fs::remove_all(directory_, ignored);
  }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  std::optional<std::string> Make() {
    std::error_code error;
    const fs::path temporary = fs::temp_directory_path(error);
    if (error) return "the directory for temporary files: " + error.message();
    std::string pattern = (temporary / "proxymux.XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) return pattern + ": " + std::strerror(errno);
    directory_ = pattern;
    if (mkdir(Before("").c_str(), 0700) != 0) return Before("") + ": " + std::strerror(errno);
    for (const ConfigFile* file : files_) {
      const std::string text = WithEnd(file->text());
      if (auto problem = file->WriteCopy(Before(NameOf(*file)), text)) return problem;
      if (auto problem = file->WriteCopy(After(NameOf(*file)), text)) return problem;
    }
    return std::nullopt;
  }

  std::optional<std::string> Run(const PostconfRuns& runs, const std::string& command_directory) {
    config::PostconfRequest request;
    request.command = command_directory + "/postconf";
    request.config_directory = directory_;
    for (const std::vector<std::string>& run : runs) {
      std::vector<std::string> arguments = {"-c", directory_};
      arguments.insert(arguments.end(), run.begin(), run.end());
      const config::ProgramOutput output = config::RunPostconf(request, arguments);
      if (output.failure.empty()) continue;
      std::string text = "postconf";
      for (const std::string& argument : run) text += " '" + argument + "'";
      return text + " " + output.failure + ": " + Shown(output.err);
    }
    return std::nullopt;
  }

  std::optional<std::string> Read(StagedEdit* edit) {
    for (const ConfigFile* file : files_) {
      const bool is_master = file == files_[1];
      const std::string after = After(NameOf(*file));
      std::string why;
      auto text = ReadTextFile(after, &why);
      if (!text.has_value()) return after + ": cannot be read: " + why;
      if (*text == WithEnd(file->text())) {
        *text = file->text();
      } else if (is_master) {
        *text = WithOptionInLine(*text);
        std::error_code error;
        fs::remove(after, error);
        if (auto problem = file->WriteCopy(after, *text)) return problem;
      }
      if (auto problem = AddDifference(*file, &edit->difference)) return problem;
      (is_master ? edit->master_cf : edit->main_cf) = std::move(*text);
    }
    return std::nullopt;
  }

 private:
  // postconf(1) would go on in a last line that has no end.
  static std::string WithEnd(std::string text) {
    if (!text.empty() && !text.ends_with('\n')) text += '\n';
    return text;
  }
  static std::string NameOf(const ConfigFile& file) {
    return fs::path(file.path()).filename().string();
  }
  std::string Before(const std::string& name) const { return directory_ + "/before/" + name; }
  std::string After(const std::string& name) const { return directory_ + "/" + name; }

  // Line by line, as a terminal may see it.
  static std::string Shown(std::string_view text) {
    std::string shown;
    while (!text.empty()) {
      const std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(line.size() + 1, text.size()));
      std::string plain(line);
      std::ranges::replace(plain, '\t', ' ');
      shown += ShownText(plain) + "\n";
    }
    return shown;
  }

  std::optional<std::string> AddDifference(const ConfigFile& file, std::string* difference) const {
    config::ProgramRun run;
    run.arguments = {"/usr/bin/diff",
                     "-U0",
                     "--label",
                     file.path(),
                     "--label",
                     file.path() + " (new)",
                     "--",
                     Before(NameOf(file)),
                     After(NameOf(file))};
    run.environment = {"LANG=C"};
    const config::ProgramOutput output = config::RunProgram(run);
    // 1: they differ.
    if (!output.failure.empty() && output.failure != "exited with status 1") {
      return "diff: " + output.failure;
    }
    *difference += Shown(output.out);
    return std::nullopt;
  }

  const ConfigFile* const files_[2];
  std::string directory_;  // empty: none was made
};

}  // namespace

std::variant<StagedEdit, std::string> StageEdit(const ConfigFile& main_cf,
                                                const ConfigFile& master_cf,
                                                const PostconfRuns& runs,
                                                const std::string& command_directory) {
  Staging staging(main_cf, master_cf);
  StagedEdit edit;
  if (auto problem = staging.Make()) return *problem;
  if (auto problem = staging.Run(runs, command_directory)) return *problem;
  if (auto problem = staging.Read(&edit)) return *problem;
  return edit;
}

}  // namespace proxymux::proxy
