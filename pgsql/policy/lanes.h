// Connections that slow statements have for themselves, so that they do not hold up quick ones: how
// many there may be, when one begins and ends, and which one takes a statement.
//
// A lane takes nothing else until it has run empty. It is a loan: while no connection is kept for
// quick lookups, or when fewer lanes are allowed than there are, each lane has one statement at a
// time, so that whoever comes next gets the first connection whose statement is done. The last
// connection is lent only when all other lanes are like that. Pure but for the phases of
// connections, which it sets.
#pragma once

#include <cstddef>
#include <optional>

#include "pgsql/connection/pool_connection.h"
#include "pgsql/policy/pool_view.h"
#include "pgsql/policy/session_rules.h"
#include "pgsql/work/work.h"

namespace proxymux::pgsql {

class Lanes {
 public:
  // With a single connection slow and quick ones take turns: it is the slow ones' once it has run
  // empty for them, or when it is empty and the latest turn was the quick ones'.
  static bool SlowFirst(const PoolView& view, bool slow_are_next);
  // Lanes that have nothing to do any more take everything again.
  static void EndIdle(const PoolView& view);
  // So do those that ran empty for a slow statement which did not come.
  static void EndUnused(const PoolView& view);

  // The slow statements of a turn are looked at.
  void Begin(const PoolView& view);
  // Each lane has one statement from now on, since one has to run empty for somebody.
  void OneEach() { depth_ = 1; }
  // A connection for a slow statement, which takes nothing else from then on until it has run
  // empty. A lane with work takes more of the same table only. Null when there is no lane for it,
  // or when the connection has to run empty first.
  PoolConnection* Choose(const PoolView& view, const SessionRules& rules, const Work& work);

  std::size_t left() const { return left_; }   // that may begin in this turn
  bool reserved() const { return reserved_; }  // a connection runs empty for the latest one
  // Of this turn: see Placement::session_wanted().
  std::optional<std::size_t> session_wanted() const { return session_wanted_; }

 private:
  std::size_t left_ = 0;
  std::size_t depth_ = 1;
  bool reserved_ = false;
  std::optional<std::size_t> session_wanted_;
};

}  // namespace proxymux::pgsql
