// What was sent before and finds no connection in a turn: whether there is any, and the host
// without connections that one of them needs. Pure.
#pragma once

#include <cstddef>
#include <optional>

#include "pgsql/host/host_set.h"
#include "pgsql/work/work.h"

namespace proxymux::pgsql {

class HeldUp {
 public:
  void Note(const Work& work, const HostSet& hosts) {
    any_ = true;
    if (!host_needed_.has_value()) host_needed_ = work.attempts.NeededHost(hosts);
  }

  bool any() const { return any_; }
  // None: each only waits for its turn.
  std::optional<std::size_t> host_needed() const { return host_needed_; }

 private:
  bool any_ = false;
  std::optional<std::size_t> host_needed_;
};

}  // namespace proxymux::pgsql
