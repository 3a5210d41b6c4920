// Sends what waits, in a fair order: one turn of it.
//
// Slow lookups come first where they have lanes to go to (slow_dispatcher.h); on a single
// connection they and the quick ones take turns. Quick lookups that share their connection go first
// come, first served; tables that need connections of their own take turns. Of these two kinds the
// one goes first whose next lookup was submitted earlier, so that a flood of the one does not fill
// every connection again before the other is looked at.
//
// Each kind is bounded by what waits when it is looked at: what comes back meanwhile waits.
#pragma once

#include <cstddef>
#include <optional>

#include "pgsql/connection/pool_connection.h"
#include "pgsql/policy/placement.h"
#include "pgsql/pool/connection_set.h"
#include "pgsql/pool/open_work.h"
#include "pgsql/pool/pool_context.h"
#include "pgsql/pool/slow_dispatcher.h"
#include "pgsql/pool/work_sender.h"
#include "pgsql/work/held_up.h"
#include "pgsql/work/table_binding.h"
#include "pgsql/work/work.h"
#include "pgsql/work/work_queues.h"

namespace proxymux::pgsql {

class Dispatcher {
 public:
  Dispatcher(PoolContext* pool, OpenWork* work, ConnectionSet* connections, WorkSender* sender)
      : pool_(pool),
        work_(work),
        connections_(connections),
        sender_(sender),
        slow_(pool, work, connections, sender, &held_up_) {}

  // A turn begins.
  void Begin();
  void SendAll();

  // What became of the turn.
  //
  // Something could be sent to a connection that was sent something just now.
  bool held_back() const { return placement_.held_back(); }
  const HeldUp& held_up() const { return held_up_; }
  // The host of a connection that is another table's, where somebody needs one and found none.
  std::optional<std::size_t> session_wanted() const;

 private:
  using Queue = WorkQueues::Queue;

  void SendQuick();
  void SendOwn();
  void SendAgain(Queue queue);
  void SendToOwners();
  void SendOwnLine(Line line);
  bool OwnsConnection(const TableBinding& binding) const;
  PoolConnection* Choose(const Work& work, Placement::Among among = Placement::Among::kAll);
  void Send(PoolConnection& connection, Work* work);

  PoolContext* const pool_;
  OpenWork* const work_;
  ConnectionSet* const connections_;
  WorkSender* const sender_;
  SlowDispatcher slow_;
  Placement placement_;  // of this turn; so is what follows
  HeldUp held_up_;
};

}  // namespace proxymux::pgsql
