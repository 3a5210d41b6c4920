// How long it takes to connect to one host, as its attempts have shown. Pure.
//
// Measured is the first attempt that succeeds, each that is quicker than usual, and of those that
// took longer each that was begun while nothing spoke against the host: one that hung until the
// host was back says nothing of it. Each makes the time twice as long at most (or 2 ms), since one
// packet that was lost says little.
#pragma once

#include <optional>

#include "pgsql/runtime/event_loop.h"

namespace proxymux::pgsql {

class ConnectTime {
 public:
  // `in_doubt`: when the attempt began something spoke against the host (PoolHost::InDoubt).
  void OnConnected(Duration took, bool in_doubt);

  // None: nothing has been measured.
  std::optional<Duration> usual() const { return usual_; }

 private:
  std::optional<Duration> usual_;
};

}  // namespace proxymux::pgsql
