// Which hosts of a pool are barred, since they are too far behind or it is not known how far
// (max_replica_lag, when_all_lag), and which of them is the primary. Pure; what it decides is
// written into the hosts.
#pragma once

#include "config/values/server_config.h"
#include "pgsql/host/host_set.h"
#include "pgsql/host/replica_state.h"
#include "pgsql/host/wal_history.h"
#include "pgsql/runtime/event_loop.h"

namespace proxymux::pgsql {

class LagRule {
 public:
  // How far a host may be behind its primary; 0: as far as it is. And what becomes of lookups when
  // all that can be reached are further behind.
  void SetLimit(Duration limit, config::WhenAllLag when_all) {
    limit_ = limit;
    when_all_ = when_all;
  }
  Duration limit() const { return limit_; }

  // The host answered the question that was asked then.
  void OnAnswered(const ReplicaState& state, Time asked, PoolHost* host);
  void Look(Time now, HostSet* hosts) const;

 private:
  Duration limit_{};
  config::WhenAllLag when_all_ = config::WhenAllLag::kUse;
  WalHistory wal_;
};

}  // namespace proxymux::pgsql
