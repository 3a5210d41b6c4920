// Which addresses of the servers of one pool have not answered lately: of several that one host is
// reached by, others are tried first. Pure.
#pragma once

#include <map>
#include <string>

#include "pgsql/runtime/event_loop.h"

namespace proxymux::pgsql {

class SilentAddresses {
 public:
  // Nothing came back from it.
  void Add(const std::string& address, Time now);
  // It has answered, be it with a refusal.
  void Remove(const std::string& address) { silent_.erase(address); }

  bool Has(const std::string& address, Time now) const;

 private:
  std::map<std::string, Time> silent_;  // since when
};

}  // namespace proxymux::pgsql
