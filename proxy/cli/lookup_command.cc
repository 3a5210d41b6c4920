#include "proxy/cli/lookup_command.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>

#include "proxy/cli/config_directory.h"
#include "proxy/lookup/lookup_report.h"
#include "proxy/lookup/lookup_table.h"

namespace proxymux::proxy {
namespace {

using pgsql::Outcome;

// What is not an answer of the table's, or an odd one, for standard error.
void Complain(const LookupReport& report, std::ostream& err) {
  const std::string about = "table " + report.table + ": key " + QuotedText(report.key) + ": ";
  switch (report.outcome) {
    case Outcome::kFound:
    case Outcome::kNotFound:
      if (!report.reason.empty()) {
        err << "proxymux: warning: " << about << report.reason << "\n";
      }
      return;
    case Outcome::kRetry:
      err << "proxymux: " << about << "no answer for now: " << report.reason << "\n";
      return;
    case Outcome::kConfig:
      err << "proxymux: " << about
          << "no answer before the query or the data are mended: " << report.reason << "\n";
      return;
  }
}

}  // namespace

int Lookup(const LookupOptions& options, std::istream& in, std::ostream& out, std::ostream& err) {
  LookupTable table(&options, &err);
  if (!table.Open()) {
    // So that it is not taken for a list of which nothing was found.
    if (options.key == "-") err << "proxymux: no answer to any key\n";
    return EXIT_FAILURE;
  }
  const char* separator = "";
  // `prefix` stands before the value.
  const auto ask = [&](const std::string& key, const std::string& prefix) {
    const LookupReport report = table.Ask(key);
    Complain(report, err);
    if (options.explain) {
      out << separator << ReportText(report);
      separator = "\n";
    } else if (report.outcome == Outcome::kFound) {
      out << prefix << report.value << "\n";
    }
    out.flush();
    return report.outcome;
  };
  if (options.key != "-") {
    return ask(options.key, "") == Outcome::kFound ? EXIT_SUCCESS : EXIT_FAILURE;
  }
  bool any = false;
  for (std::string key; std::getline(in, key);) {
    // What stands behind a NUL byte does not count, as with postmap.
    key.resize(std::min(key.find('\0'), key.size()));
    switch (ask(key, key + "\t")) {
      case Outcome::kFound:
        any = true;
        break;
      case Outcome::kNotFound:
        break;
      case Outcome::kRetry:
      case Outcome::kConfig:
        return EXIT_FAILURE;
    }
  }
  return any ? EXIT_SUCCESS : EXIT_FAILURE;
}

void AddLookupCommand(CLI::App* app, int* status) {
  const auto lookup = std::make_shared<LookupOptions>();
  lookup->config_directory = DefaultConfigDirectory();
  CLI::App* command =
      app->add_subcommand("lookup", "Ask one pgsql table, as postmap -q does, without Postfix");
  command->add_option("KEY", lookup->key, "What to look up; -: keys on standard input")->required();
  command->add_option("TABLE", lookup->table, "pgsql:/path/of/table.cf")->required();
  command
      ->add_option("-c,--config-directory", lookup->config_directory,
                   "Where main.cf and proxymux.yaml are, if there are any")
      ->capture_default_str();
  command->add_flag("--explain", lookup->explain, "Show how the answer came about");
  command->add_flag_callback(
      "-f", [lookup] { lookup->fold = false; }, "Do not fold the key to lower case");
  command->add_flag_callback(
      "-u", [lookup] { lookup->utf8 = false; }, "No UTF-8 checks; fold ASCII only");
  command->callback(
      [lookup, status] { *status = Lookup(*lookup, std::cin, std::cout, std::cerr); });
}

}  // namespace proxymux::proxy
