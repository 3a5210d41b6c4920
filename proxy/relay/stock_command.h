// The command line and environment with which a stock proxymap is started in our stead: those of
// master(8), so that stock cannot tell who its parent is.
//
// `-l` (a process limit of one) is true: each stock process gets a listening socket of its own. It
// also keeps stock from the lock file in the queue directory, which only root may create. There is
// no `-u`, since we run as mail_owner already, and no `-n`, since the service has the command's
// name.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace proxymux::proxy {

struct StockLaunch {
  std::string program;                 // $daemon_directory/proxymap
  std::string queue_directory;         // the child's working directory
  std::string socket_directory;        // where we may create files: $data_directory
  std::vector<std::string> approved;   // TYPE:NAME of every table that we approve
  std::vector<std::string> overrides;  // `name=value` of our own -o options, in order
  int verbosity = 0;                   // how many -v
  std::map<std::string, std::string>
      environment;          // ours; what master would pass on is taken from it
  unsigned generation = 0;  // ours, from GENERATION

  friend bool operator==(const StockLaunch&, const StockLaunch&) = default;
};

struct StockCommand {
  std::vector<std::string> arguments;    // with argv[0]
  std::vector<std::string> environment;  // NAME=VALUE
};

StockCommand MakeStockCommand(const StockLaunch& launch);

}  // namespace proxymux::proxy
