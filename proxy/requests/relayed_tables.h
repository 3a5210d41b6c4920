// What was asked of the stock implementation, by table: how often, how quickly it was answered, and
// what had to be RETRY.
//
// One entry for each approved table that was asked for, for the life of the process. Loop's thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/status/status.h"

namespace proxymux::proxy {

class RelayedTables {
 public:
  // One more request for an approved table. What is returned stays where it is.
  RelayWork* Asked(std::string_view table);

  // By name.
  std::vector<RelayedTable> All() const;

 private:
  std::map<std::string, RelayWork, std::less<>> tables_;
};

}  // namespace proxymux::proxy
