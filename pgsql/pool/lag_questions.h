// Asks the hosts of a pool how far they are behind their primaries (replica_state.h), about once a
// second as long as lookups come, and tells when one is too far behind to be used, or not any more.
// Where roles count a host that is newly connected to is asked at once, lookups or not.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "pgsql/connection/pool_connection.h"
#include "pgsql/connection/upstream_connection.h"
#include "pgsql/pool/connection_set.h"
#include "pgsql/pool/open_work.h"
#include "pgsql/pool/pool_context.h"
#include "pgsql/pool/work_sender.h"
#include "pgsql/runtime/event_loop.h"
#include "pgsql/work/work.h"

namespace proxymux::pgsql {

class LagQuestions {
 public:
  LagQuestions(PoolContext* pool, OpenWork* work, ConnectionSet* connections, WorkSender* sender)
      : pool_(pool),
        work_(work),
        connections_(connections),
        sender_(sender),
        told_(pool->hosts.size()) {}

  // As a turn begins: which hosts may be used.
  void Look();
  // Asks those that are due.
  void Ask();
  // One was answered, or failed.
  void OnAnswer(const PoolConnection& connection, const Work& work, const StatementResult& result);

 private:
  // Of a host, the last time that something was told.
  struct Told {
    std::optional<Time> behind_since;  // none: it is not behind
    bool used = false;                 // it is used all the same
    bool apart = false;                // it is not behind, but apart (ReplicaLag::Apart)
    bool demoted = false;
    bool operator==(const Told&) const = default;
  };

  void Tell(std::size_t index);

  PoolContext* const pool_;
  OpenWork* const work_;
  ConnectionSet* const connections_;
  WorkSender* const sender_;
  std::vector<Told> told_;  // by host
};

}  // namespace proxymux::pgsql
