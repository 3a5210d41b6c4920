// What is done about a connection that owes an answer for longer than stall_limit: its host is put
// to the test, or the connection is ended, and what it owes is asked elsewhere. Pure: it says what
// is to be done, and the pool does it.
#pragma once

#include <cstdint>
#include <optional>

#include "pgsql/connection/pool_connection.h"
#include "pgsql/policy/pool_view.h"
#include "pgsql/runtime/event_loop.h"
#include "pgsql/work/work.h"

namespace proxymux::pgsql {

class SilenceWatch {
 public:
  // From when on the connection's silence is too long: a statement whose time has been measured has
  // its usual time on top. None: nothing is owed, or it is being cancelled already.
  static std::optional<Time> LateFrom(const PoolConnection& connection, Duration stall_limit);

  enum class HostStep : std::uint8_t {
    kNothing,
    kTest,    // the host is suspect from now on
    kGiveUp,  // the host is on trial, and there are others: the connection ends
  };
  static HostStep AboutHost(const PoolView& view, const PoolConnection& connection,
                            Duration stall_limit);

  // It owes the answer that is to prove it, and for longer than those before it were waited for.
  static bool ProofIsLate(const PoolView& view, const PoolConnection& connection,
                          Duration stall_limit);

  enum class Step : std::uint8_t { kWait, kCancel, kDrop };
  // The connection is late since `late`, and all that it owes came from another host. `was_up`: its
  // host was up before it was put to the test for this silence.
  static Step AboutUseless(const PoolView& view, const PoolConnection& connection, bool was_up,
                           Time late);

  // It is the connection that does not answer, and not its host, which answers on other ones. All
  // that it owes is read quickly as a rule and may be asked once more, which no other host can do:
  // the same host is to be asked, on another connection.
  static bool HasBroken(const PoolView& view, const PoolConnection& connection, Time late);

  // Some other host than that one, which is not in doubt, may serve.
  static bool OthersMayServe(const PoolView& view, std::size_t host);
};

}  // namespace proxymux::pgsql
