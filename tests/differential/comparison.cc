#include "tests/differential/comparison.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <sstream>
#include <thread>

#include "tests/differential/table_asker.h"
#include "tests/harness/postfix_instance.h"
#include "tests/harness/proxymap_client.h"

namespace proxymux::differential {
namespace {

using harness::PostfixInstance;
using harness::ProxymapClient;

// Text for main.cf: each setting under the table's name, `$` protected from expansion.
std::string ForMainCf(const DifferentialTable& table) {
  std::istringstream in(table.text);
  std::string text;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    ReplaceAll(line, "$", "$$");
    text += (line[0] == ' ' ? "" : table.name + "_") + line + "\n";
  }
  return text;
}

void AddTable(const DifferentialTable& table, const std::string& directory,
              PostfixInstance::Options& options) {
  if (InMainCf(table.name)) {
    options.main_cf.push_back(ForMainCf(table));
    options.approved.push_back("pgsql:" + table.name);
  } else if (table.text.empty() || table.malformed) {
    options.approved.push_back("pgsql:" + directory + "/etc/" + table.name);
  } else {
    options.tables.push_back({table.name, table.text});
  }
}

// Postfix waits until a file is two seconds old.
void MakeOld(const std::string& path) {
  const time_t then = ::time(nullptr) - 3600;
  const timespec times[2] = {{then, 0}, {then, 0}};
  ::utimensat(AT_FDCWD, path.c_str(), times, 0);
}

// Waits until proxymux has seen the file: a missing one and a malformed one answer alike.
void WriteMalformed(const std::vector<Question>& questions, PostfixInstance& postfix) {
  for (const Question& question : questions) {
    if (!question.table.malformed) continue;
    const std::string path = postfix.config_directory() + "/" + question.table.name;
    const std::size_t mark = postfix.LogMark();
    postfix.WriteConfig(question.table.name, question.table.text);
    MakeOld(path);
    if (!postfix.WaitForLog(path + ":", mark)) throw std::runtime_error(path + " is not noticed");
  }
}

}  // namespace

Comparison::Comparison(DifferentialWorld& world, Options options)
    : world_(world), options_(std::move(options)) {}

ComparisonReport Comparison::Run(const std::vector<Question>& questions) {
  const std::string directory = world_.NewDirectory();
  PostfixInstance::Options options;
  options.yaml = "table:\n  max_value: 1MiB\n";
  options.service = harness::Service::kBeside;
  options.proxymux = harness::ProxymuxBinary();
  options.tables = options_.files;
  if (!options_.smtputf8) options.main_cf.push_back("smtputf8_enable = no");
  std::vector<Question> asked = questions;
  for (Question& question : asked) {
    DifferentialTable& table = question.table;
    table.text = world_.Fill(table.text);
    ReplaceAll(table.text, "@DIRECTORY@", directory + "/etc");
    if (!options_.statement_mode.empty()) {
      table.text = WithMode(table.text, options_.statement_mode);
    }
    AddTable(table, directory, options);
    for (const std::string& mode :
         table.malformed ? std::vector<std::string>() : options_.further_modes) {
      DifferentialTable copy = table;
      copy.name = CopyName(table.name, mode);
      copy.text = WithMode(table.text, mode);
      AddTable(copy, directory, options);
    }
    std::vector<std::string>& keys = question.keys;
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  }
  for (const auto& file : options_.files) {
    // A member of a domain list that is behind proxy: must be approved.
    if (file.name.ends_with(".map")) {
      options.approved.push_back("texthash:" + directory + "/etc/" + file.name);
    }
  }
  PostfixInstance postfix(directory, options);
  for (const auto& file : options.tables) MakeOld(postfix.config_directory() + "/" + file.name);
  postfix.Start();
  ProxymapClient(postfix.SocketPath("proxymux"));  // main.cf is read
  WriteMalformed(asked, postfix);

  ComparisonReport report;
  const std::size_t mark = postfix.LogMark();
  std::mutex mutex;  // of report and failure
  std::exception_ptr failure;
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    try {
      TableAsker asker(postfix, options_);
      for (std::size_t i = next++; i < asked.size(); i = next++) {
        const ComparisonReport one = asker.Ask(asked[i].table, asked[i].keys);
        const std::lock_guard lock(mutex);
        report.Add(one);
      }
    } catch (const std::exception&) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
    }
  };
  std::vector<std::thread> workers;
  for (int i = 0; i < options_.workers; ++i) workers.emplace_back(work);
  for (std::thread& worker : workers) worker.join();
  for (const Question& question : asked) {
    if (question.table.malformed) postfix.WriteConfig(question.table.name, "");  // `postfix stop`
  }
  if (failure) std::rethrow_exception(failure);
  if (!report.unexplained.empty()) {
    // What proxymux said, without the usual: every table's own warnings are many.
    constexpr std::size_t kLines = 40;
    std::vector<std::string> lines = postfix.LogLinesWith({"proxymux["}, mark);
    std::erase_if(lines, [](const std::string& line) {
      return line.find("connect") == std::string::npos && line.find("panic") == std::string::npos;
    });
    for (std::size_t i = 0; i < std::min(kLines, lines.size()); ++i) report.log += lines[i] + "\n";
  }
  return report;
}

}  // namespace proxymux::differential
