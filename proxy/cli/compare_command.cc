#include "proxy/cli/compare_command.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <limits>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "config/postfix/program_output.h"
#include "proxy/check/findings.h"
#include "proxy/check/postfix_files.h"
#include "proxy/cli/config_directory.h"
#include "proxy/compare/compared_keys.h"
#include "proxy/compare/comparison.h"
#include "proxy/compare/key_answers.h"
#include "proxy/compare/key_rate.h"
#include "proxy/compare/last_part.h"
#include "proxy/process/postfix_settings.h"
#include "proxy/process/privileges.h"
#include "proxy/tables/table_registry.h"

namespace proxymux::proxy {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kSame = 0, kDifferent = 1, kNothing = 2;

constexpr std::size_t kLogKeys = 1000;  // where --limit says nothing
constexpr std::chrono::seconds kLongestRun{60};
constexpr std::size_t kMostInARun = 100;  // keys; each may take half a second

// A program that answers keys: its words, those that tell of an error, and how long it took.
struct Side {
  std::vector<std::string> command;
  std::string_view error_word;
  ComparedTable::Timing timing{};
};

class TableComparer {
 public:
  // `as`: the words that give a program the rights of the service; may be none.
  TableComparer(const CompareOptions& options, const std::vector<std::string>& as,
                std::string table, KeyRate* rate)
      : environment_(config::PostfixEnvironment(options.config_directory)), rate_(rate) {
    stock_.command = as;
    for (const std::string& word :
         {CommandDirectory(options.config_directory) + "/postmap", std::string("-c"),
          options.config_directory, std::string("-q"), std::string("-"), table}) {
      stock_.command.push_back(word);
    }
    std::error_code error;
    ours_.command = {std::filesystem::read_symlink("/proc/self/exe", error).string(),
                     "lookup",
                     "-c",
                     options.config_directory,
                     "-",
                     table};
    compared_.name = std::move(table);
  }

  // Both in turn, block by block, and each is the first in turn, so that neither has the quieter
  // time.
  ComparedTable Run(const std::vector<std::string>& keys) {
    for (std::size_t begin = 0; begin < keys.size() && problem_.empty(); begin += kMostInARun) {
      const std::size_t end = std::min(begin + kMostInARun, keys.size());
      Block({keys.begin() + static_cast<std::ptrdiff_t>(begin),
             keys.begin() + static_cast<std::ptrdiff_t>(end)});
      std::swap(first_, second_);
    }
    compared_.stock = stock_.timing;
    compared_.ours = ours_.timing;
    return std::move(compared_);
  }
  // Why one of them cannot be asked at all; empty: both can.
  const std::string& problem() const { return problem_; }

 private:
  std::vector<KeyAnswer> Ask(Side* side, const std::vector<std::string>& keys) {
    config::ProgramRun run;
    run.arguments = side->command;
    run.environment = environment_;
    run.time_limit = kLongestRun;
    const RunWithKeys with_keys = [&](const std::string& input) {
      if (!problem_.empty()) return config::ProgramOutput{"", "", problem_};
      const auto count = static_cast<std::size_t>(std::ranges::count(input, '\n'));
      std::this_thread::sleep_until(rate_->Take(count, Clock::now()));
      run.input = input;
      const Clock::time_point begin = Clock::now();
      config::ProgramOutput output = config::RunProgram(run);
      if (output.failure.starts_with("cannot be run")) {
        problem_ = side->command.front() + ": " + output.failure;
      } else if (output.err.starts_with("setpriv: ")) {
        problem_ = output.err.substr(0, output.err.find('\n'));
      }
      const bool ended = output.failure.empty() || output.failure == "exited with status 1";
      if (ended && output.err.find(side->error_word) == std::string::npos) {
        side->timing.time += Clock::now() - begin;
        side->timing.keys += count;
      }
      return output;
    };
    return AnswersOf(keys, with_keys, side->error_word);
  }

  struct Pair {
    std::vector<KeyAnswer> stock;
    std::vector<KeyAnswer> ours;
  };
  Pair AskBoth(const std::vector<std::string>& keys) {
    std::vector<KeyAnswer> first = Ask(first_, keys);
    std::vector<KeyAnswer> second = Ask(second_, keys);
    if (first_ != &stock_) std::swap(first, second);
    return {std::move(first), std::move(second)};
  }

  void Block(const std::vector<std::string>& keys) {
    const Pair answers = AskBoth(keys);
    std::vector<std::string> again;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (ComparedTable::IsSettled(answers.stock[i], answers.ours[i])) {
        compared_.Add(keys[i], answers.stock[i], answers.ours[i]);
      } else {
        again.push_back(keys[i]);
      }
    }
    // The data may have changed between the two.
    if (again.empty() || !problem_.empty()) return;
    const Pair last = AskBoth(again);
    for (std::size_t i = 0; i < again.size(); ++i) {
      compared_.Add(again[i], last.stock[i], last.ours[i]);
    }
  }

  const std::vector<std::string> environment_;
  KeyRate* const rate_;
  Side stock_{{}, "fatal:"};
  Side ours_{{}, "no answer"};
  Side* first_ = &stock_;
  Side* second_ = &ours_;
  std::string problem_;
  ComparedTable compared_;
};

int Nothing(std::ostream& err, const std::string& why) {
  err << "proxymux: " << why << "\n";
  return kNothing;
}

// Those that begin a command with the rights of the service, which is how it asks the servers. An
// error: there is no such user.
std::variant<std::vector<std::string>, std::string> AsUser(const std::string& mail_owner) {
  std::vector<std::string> words;
  if (geteuid() != 0 || mail_owner.empty()) return words;
  const auto account = FindAccount(mail_owner);
  if (const auto* error = std::get_if<PrivilegeError>(&account)) return error->text;
  const auto& owner = std::get<Account>(account);
  words = {"/usr/bin/setpriv", "--reuid=" + std::to_string(owner.uid),
           "--regid=" + std::to_string(owner.gid), "--init-groups", "--"};
  return words;
}

// Nothing, and why on `err`: there are none.
std::optional<std::vector<std::string>> ReadKeys(const CompareOptions& options, std::istream& in,
                                                 std::ostream& err) {
  const bool from_log = !options.log_file.empty();
  const std::string& path = from_log ? options.log_file : options.keys_file;
  if (path.empty()) {
    Nothing(err, "which keys? write --keys FILE or --from-log FILE");
    return std::nullopt;
  }
  const LastPart part = ReadLastPart(path, &in);
  std::string problem = part.error;
  if (problem.empty() && part.cut && !from_log) problem = "is larger than 32 MiB: give fewer keys";
  ComparedKeys keys;
  if (problem.empty()) {
    const std::size_t most = std::numeric_limits<std::size_t>::max();
    keys = from_log ? KeysOfLog(part.text, options.limit.value_or(kLogKeys))
                    : KeysOfLines(part.text, options.limit.value_or(most));
    if (keys.keys.empty()) {
      problem = from_log ? "has no addresses behind from=<, to=< or orig_to=<" : "has no keys";
    }
  }
  if (!problem.empty()) {
    Nothing(err, path + ": " + problem);
    return std::nullopt;
  }
  if (keys.left_out > 0) {
    err << "proxymux: " << path << ": " << keys.left_out
        << " keys with control characters are left out\n";
  }
  if (keys.beyond_limit > 0 && !from_log) {
    err << "proxymux: " << path << ": " << keys.beyond_limit
        << " lines beyond --limit are left out\n";
  }
  return std::move(keys.keys);
}

}  // namespace

int Compare(const CompareOptions& options, std::istream& in, std::ostream& out, std::ostream& err) {
  const auto keys = ReadKeys(options, in, err);
  if (!keys.has_value()) return kNothing;

  Findings ignored;
  const PostfixFiles files = PostfixFiles::Read(options.config_directory, &ignored);
  const PostfixSettingsResult read =
      ReadPostfixSettings(options.config_directory, files.OwnOverrides());
  if (!read.settings.has_value()) return Nothing(err, read.error);
  std::vector<std::string> tables;
  for (std::string_view table : options.tables) {
    constexpr std::string_view kProxy = "proxy:";
    while (table.starts_with(kProxy)) table.remove_prefix(kProxy.size());
    tables.emplace_back(table);
    if (!TableRegistry::IsPgsql(tables.back())) {
      return Nothing(err, tables.back() + ": is no pgsql table: write pgsql:/path");
    }
  }
  for (const std::string& table : read.settings->approved.tables) {
    if (options.tables.empty() && TableRegistry::IsPgsql(table)) tables.push_back(table);
  }
  if (tables.empty()) return Nothing(err, "no pgsql table is approved (proxy_read_maps)");

  const auto as = AsUser(read.settings->mail_owner);
  if (const auto* problem = std::get_if<std::string>(&as)) return Nothing(err, *problem);
  bool same = true;
  KeyRate rate(options.rate);
  for (const std::string& table : tables) {
    TableComparer comparer(options, std::get<0>(as), table, &rate);
    const ComparedTable compared = comparer.Run(*keys);
    if (!comparer.problem().empty()) return Nothing(err, comparer.problem());
    out << compared.Text() << std::flush;
    same = same && compared.IsSame();
  }
  return same ? kSame : kDifferent;
}

void AddCompareCommand(CLI::App* app, int* status) {
  const auto options = std::make_shared<CompareOptions>();
  options->config_directory = DefaultConfigDirectory();
  CLI::App* command = app->add_subcommand(
      "compare", "Ask stock's postmap and proxymux the same keys, and show where they differ");
  command->add_option("-c,--config-directory", options->config_directory, "Where main.cf is")
      ->capture_default_str();
  CLI::Option* keys = command->add_option("--keys", options->keys_file,
                                          "A file with a key on each line; -: standard input");
  command
      ->add_option("--from-log", options->log_file,
                   "A mail log: its addresses and their domains, the latest first")
      ->excludes(keys);
  command
      ->add_option("--limit", options->limit,
                   "Keys at most; of a log 1000 if nothing is said, of a file all")
      ->check(CLI::Range(1, 1000000));
  command->add_option("--rate", options->rate, "Keys a second at most, asked of both together")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command->add_option("TABLE", options->tables, "pgsql:/path; none: every approved pgsql table");
  command->footer(
      "Exit status: 0 the answers are the same, 1 some are not, 2 nothing could be compared.\n"
      "Example: proxymux compare --from-log /var/log/mail.log");
  command->callback(
      [options, status] { *status = Compare(*options, std::cin, std::cout, std::cerr); });
}

}  // namespace proxymux::proxy
