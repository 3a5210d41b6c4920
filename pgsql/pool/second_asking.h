// Does not wait for a server that owes an answer: asks another host too, and puts the silent one to
// the test. What is to be done is said by SilenceWatch and SecondTry.
//
// Only lookups that are known to read are asked twice, and questions to the catalogue. Either
// because their connection has been silent for stall_limit, or, lookups, because they take longer
// than usual for their table (hedge_percent).
#pragma once

#include "pgsql/connection/pool_connection.h"
#include "pgsql/pool/connection_set.h"
#include "pgsql/pool/open_work.h"
#include "pgsql/pool/pool_context.h"
#include "pgsql/runtime/event_loop.h"
#include "pgsql/work/work.h"

namespace proxymux::pgsql {

class SecondAsking {
 public:
  SecondAsking(PoolContext* pool, OpenWork* work, ConnectionSet* connections)
      : pool_(pool), work_(work), connections_(connections) {}

  // Looked at by the clock.
  void WatchSilence();
  void Hedge();
  // Some lookup in flight may be hedged: the clock is to be looked at often.
  bool HedgesSoon() const { return connections_->MayHedge() && pool_->hosts.size() > 1; }

 private:
  void OnSilence(PoolConnection& connection);
  void EndUseless(PoolConnection& connection, bool was_up, Time late);
  void OnLate(const PoolConnection& connection);
  void AskCatalogueAgain(const PoolConnection& connection);
  void AskOfOthers(const PoolConnection& connection);
  bool AskTwice(Work* work, bool may_make_room);

  PoolContext* const pool_;
  OpenWork* const work_;
  ConnectionSet* const connections_;
};

}  // namespace proxymux::pgsql
