#include "proxy/cli/lookup_command.h"

#include <algorithm>
#include <cstdlib>
#include <istream>
#include <ostream>

#include "proxy/cli/lookup_report.h"
#include "proxy/cli/lookup_table.h"

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
  if (!table.Open()) return EXIT_FAILURE;
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

}  // namespace proxymux::proxy
