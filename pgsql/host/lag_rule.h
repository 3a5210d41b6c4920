// Which hosts of a pool are barred, since they are too far behind or it is not known how far
// (max_replica_lag, when_all_lag), and which of them is the primary. Pure; what it decides is
// written into the hosts.
//
// With `use` those that are behind serve when every host is, and when those that are not are gone
// for longer than lookups wait for them (outage_wait): until one of them is there again. Of several
// the least behind serve. One that has another log than the primary never serves.
//
// Where the role of a server counts (target_session_attrs) no host serves before it has said what
// it is, and a primary that was replaced and does not know it is barred without a limit, too. The
// server that took its place has to be seen for that. So where only primaries are wanted, hosts
// that no lookup needs are *unseen* after a while, and connected to, to be asked. There a host that
// says it is a standby, on a session that a pooler kept for it, is barred while another is the
// primary, of whichever cluster, and for ten minutes after it was.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "config/values/server_config.h"
#include "pgsql/host/cluster_log.h"
#include "pgsql/host/host_set.h"
#include "pgsql/host/replica_lag.h"
#include "pgsql/host/replica_state.h"
#include "pgsql/runtime/event_loop.h"

namespace proxymux::pgsql {

class LagRule {
 public:
  // Servers of which role (target_session_attrs), where it counts.
  enum class Wanted : std::uint8_t { kAny, kPreferStandby, kPrimary };

  // How far a host may be behind its primary; 0: as far as it is. And what becomes of lookups when
  // all are further behind.
  void SetLimit(Duration limit, config::WhenAllLag when_all, HostSet* hosts);
  Duration limit() const { return limit_; }
  void SetWanted(Wanted wanted) { wanted_ = wanted; }
  // What a host is has to be known before it is used, limit or not.
  bool role_counts() const { return wanted_ != Wanted::kAny; }
  // All hosts have to be seen, not only those that are needed.
  bool sees_all() const { return wanted_ == Wanted::kPrimary; }
  // No host serves before it has said what it is.
  bool AsksFirst() const { return role_counts() || limit_ > Duration::zero(); }
  // Those that are behind serve, but for those that are apart.
  bool uses_those_behind() const { return uses_those_behind_; }

  // The host answered the question that was asked then.
  void OnAnswered(const ReplicaState& state, RealTime asked, RealTime answered, std::size_t index,
                  HostSet* hosts);
  void Look(RealTime now, HostSet* hosts);
  // Nobody is connected to it, or has asked it for a while, and it has to be seen.
  bool Unseen(const PoolHost& host, RealTime now) const;

 private:
  struct Cluster {
    std::uint64_t system;
    ClusterLog log;
  };

  const ClusterLog* LogOf(const PoolHost& host) const;
  ClusterLog* LogFor(std::uint64_t system, const HostSet& hosts);
  ReplicaLag::Terms TermsFor(std::size_t index, const HostSet& hosts, RealTime now) const;
  bool ShouldUseThoseBehind(const HostSet& hosts) const;
  static void UseLeastBehind(Duration limit, HostSet* hosts);

  Duration limit_{};
  config::WhenAllLag when_all_ = config::WhenAllLag::kUse;
  Wanted wanted_ = Wanted::kAny;
  bool uses_those_behind_ = false;
  std::vector<Cluster> clusters_;  // those that hosts belong to
};

}  // namespace proxymux::pgsql
