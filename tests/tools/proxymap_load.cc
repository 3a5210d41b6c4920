// Many clients at one proxymap service for some seconds, every answer checked; one line of
// name=value words at the end.
//
//   proxymap_load --socket PATH --config-directory DIR [--tables NAME,NAME...] [--clients N]
//   [--seconds N] [--users N]
//                 [--dialect old|new]
//
// DIR holds the mail schema's table files (tests/harness/mail_schema.h). The exit status is 1 when
// a lookup failed.
#include <poll.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <sstream>
#include <stdexcept>
#include <string>

#include "tests/harness/load_clients.h"
#include "tests/harness/mail_schema.h"

namespace {

using namespace proxymux::harness;  // NOLINT: a program, not a library

int Run(int argc, char** argv) {
  LoadOptions options;
  options.tables = LoadTables();
  int duration = 5;
  if (argc % 2 == 0) throw std::runtime_error("every option takes a value");
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const std::string value = argv[i + 1];
    if (name == "--socket") {
      options.socket = value;
    } else if (name == "--config-directory") {
      options.config_directory = value;
    } else if (name == "--clients") {
      options.clients = std::stoi(value);
    } else if (name == "--seconds") {
      duration = std::stoi(value);
    } else if (name == "--users") {
      options.users = std::stoi(value);
    } else if (name == "--dialect") {
      options.dialect = value == "new" ? proxymux::protocol::Dialect::kInstanceFlags
                                       : proxymux::protocol::Dialect::kLegacy;
    } else if (name == "--tables") {
      options.tables.clear();
      std::istringstream names(value);
      for (std::string table; std::getline(names, table, ',');) options.tables.push_back(table);
    } else {
      throw std::runtime_error("unknown option " + name);
    }
  }
  if (options.socket.empty() || options.config_directory.empty()) {
    throw std::runtime_error("--socket and --config-directory are needed");
  }
  LoadClients load(options);
  ::poll(nullptr, 0, duration * 1000);
  const LoadReport report = load.Finish();
  std::printf("%s\n", report.Text().c_str());
  return report.Failed() == 0 && report.answered > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "proxymap_load: %s\n", error.what());
    return 2;
  }
}
