// Which connection takes a statement that needs no lane.
//
// It goes where statements are wanted most, which the host and silence decide, and of these to the
// connection with the least in flight. A busy connection is not sent one small batch after the
// other: each costs the server a transaction and both sides a wake-up. What comes within a
// millisecond makes the next one larger. Pure but for the ranks, which it writes into the
// connections.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "pgsql/connection/pool_connection.h"
#include "pgsql/policy/pool_view.h"
#include "pgsql/policy/session_rules.h"
#include "pgsql/work/work.h"

namespace proxymux::pgsql {

class Placement {
 public:
  enum class Among : std::uint8_t { kAll, kOwned };  // all connections, or the table's own ones

  // A turn begins.
  void Begin(const PoolView& view);
  // Null: none has room now.
  PoolConnection* Choose(const PoolView& view, const SessionRules& rules, const Work& work,
                         Among among);
  // For a question that is to be asked of that host, and not to wait behind slow statements.
  static PoolConnection* ChooseForStamp(const PoolView& view, std::size_t host);
  // The same, in whatever session: the question reads nothing that a session can change.
  static PoolConnection* ChooseForLag(const PoolView& view, std::size_t host);
  // For the question whose answer proves that the host serves: a connection on which nothing was
  // answered yet, and nothing is asked.
  static PoolConnection* ChooseForProof(const PoolView& view, std::size_t host);

  // Of this turn: something could be sent to a connection that was sent something just now.
  bool held_back() const { return held_back_; }
  // Of this turn: the host of a connection that a work found to be another table's, and no other
  // one for it.
  std::optional<std::size_t> session_wanted() const { return session_wanted_; }

 private:
  static PoolConnection* ChooseForQuestion(const PoolView& view, std::size_t host,
                                           Work::Kind question);

  bool held_back_ = false;
  std::optional<std::size_t> session_wanted_;
};

}  // namespace proxymux::pgsql
