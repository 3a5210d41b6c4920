// What is given up, and answered with an error: what waited too long, what no host can take, what
// is too much, and statements that take too long, which the server is asked to cancel.
#pragma once

#include "pgsql/pool/connection_set.h"
#include "pgsql/pool/open_work.h"
#include "pgsql/pool/pool_context.h"
#include "pgsql/work/work.h"

namespace proxymux::pgsql {

class WorkLimits {
 public:
  WorkLimits(PoolContext* pool, OpenWork* work, ConnectionSet* connections)
      : pool_(pool), work_(work), connections_(connections) {}

  // Looked at by the clock: queue_wait, lookup_timeout, query_timeout.
  void Expire();
  // Looked at as a turn ends: what no host can take, and queue_limit.
  void Shed();

 private:
  void ExpireQueued();
  void ExpireLookups();
  void ExpireStatements();
  void GiveUpWaiting(Work* work);
  void GiveUpUnservable();
  void GiveUpExcess();

  PoolContext* const pool_;
  OpenWork* const work_;
  ConnectionSet* const connections_;
};

}  // namespace proxymux::pgsql
