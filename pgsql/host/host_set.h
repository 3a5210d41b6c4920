// The hosts of one pool: their health, how many connections each has, and which one the next
// connection goes to.
//
// Order of preference as in stock: UNIX sockets, then TCP, then URIs. Within the best class that is
// usable, hosts_policy decides: spread takes the host with the fewest connections, random among
// equals; sticky stays with one, chosen at random, until it fails. A host that is not known to be
// up gets one connection before it gets more. With prefer-standby a primary comes after
// all others.
//
// With a limit to how far a replica may be behind (lag_rule.h) a host that is further behind is
// *barred*: it keeps one connection, to be asked, and gets no lookups until it has caught up. So is
// one of which that is not known yet, and one whose role is not the wanted one any more.
//
// A host that the administrator has disabled is as if it were not there: nothing is sent to it, and
// it keeps no connection. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/values/server_config.h"
#include "pgsql/host/connect_time.h"
#include "pgsql/host/host_health.h"
#include "pgsql/host/host_trust.h"
#include "pgsql/host/lone_form.h"
#include "pgsql/host/outage.h"
#include "pgsql/host/replica_lag.h"
#include "pgsql/runtime/latency_histogram.h"
#include "pgsql/table/host_spec.h"
#include "pgsql/table/statement_effects.h"

namespace proxymux::pgsql {

struct PoolHost {
  PoolHost(HostKind kind, std::string label, Duration retry_limit)
      : kind(kind), label(std::move(label)), health(retry_limit) {}

  HostKind kind;
  std::string label;
  HostHealth health;
  HostTrust trust;
  std::string server_version;  // as it said at the latest connection; empty: nothing yet
  std::size_t connecting = 0;
  std::size_t ready = 0;
  Time text_until{};             // its prepared statements do not last: none is made before
  Time last_result{};            // from any of its connections
  bool retried_at_once = false;  // a single host gets a second attempt before it counts as down
  bool slow_to_connect = false;  // an attempt has been under way for longer than usual

  ConnectTime connect_time;
  CatalogueWatch catalogue;  // of what statements do there
  LoneForm lone_form;
  ReplicaLag lag;
  bool barred = false;      // lag_rule.h
  bool unasked = false;     // no connection is free to ask it
  bool is_primary = false;  // lag_rule.h: as far as is known

  LatencyHistogram latency;  // of lookups' statements, from sent to answered
  struct Counts {
    std::uint64_t connects = 0;
    std::uint64_t connect_failures = 0;
    // Of lookups' statements, and not of the pool's own questions.
    std::uint64_t answered = 0;
    std::uint64_t failures = 0;  // lost with their connection, or failed for the host's sake
  } counts;

  // Whether it can be connected to is not known.
  bool InDoubt() const {
    return trust.unproven() || (health.state() != HostHealth::State::kUp &&
                                health.state() != HostHealth::State::kUntried);
  }
  // Others are connected to meanwhile.
  bool Hangs() const { return slow_to_connect && ready == 0; }
  // Behind, and not used.
  bool TooFarBehind() const { return barred && lag.standing() == ReplicaLag::Standing::kBehind; }
};

class HostSet {
 public:
  explicit HostSet(std::vector<PoolHost> hosts) : hosts_(std::move(hosts)) {}

  void SetPolicy(config::HostsPolicy policy) { policy_ = policy; }
  void SetPrefersStandby(bool prefers) { prefers_standby_ = prefers; }
  // How long lookups wait for an outage to pass (outage.h); 0: not at all.
  void SetOutageWait(Duration window) { outage_wait_ = window; }

  std::size_t size() const { return hosts_.size(); }
  PoolHost& operator[](std::size_t index) { return hosts_[index]; }
  const PoolHost& operator[](std::size_t index) const { return hosts_[index]; }

  // The host for the next connection; none when no host may be connected to now, or when the one
  // that is wanted is being tried.
  std::optional<std::size_t> ChooseForConnection(Time now, std::minstd_rand* random);

  // Somebody needs a connection to that host: it is the favourite from now on if the one that was
  // has failed.
  void PreferUnlessKept(std::size_t index) {
    if (!KeepsFavourite()) favourite_ = index;
  }

  // Some host may be connected to now.
  bool MayConnect(Time now) const;

  // A host that is suspect and not yet put to the test, or the one that is down and has been due
  // for another attempt for longest.
  std::optional<std::size_t> ChooseForProbe(Time now) const;

  // A host that has a connection which should rather go to another one: because that one is of a
  // better class, or the one that the policy sticks to, or has two connections fewer.
  std::optional<std::size_t> ChooseForRetirement() const;

  // It keeps no connection while it is like this: one of a better class is up, or the favourite is.
  bool GivesWay(std::size_t index) const;

  // How much less a host is wanted for a statement than another.
  int Reluctance(std::size_t index) const;

  bool AnyDown() const;
  bool AllDown() const;  // no host has a connection, or the prospect of one, for lookups
  bool WaitsForOutages() const { return outage_wait_ > Duration::zero(); }
  // Looks whether an outage has begun, lasts or is over (outage.h). True when its state changed.
  bool LookForOutage(Time now) { return outage_.Look(now, Seen(), outage_wait_); }
  const Outage& outage() const { return outage_; }
  Duration WaitLeft(Time now) const { return outage_.WaitLeft(now, outage_wait_); }

  // Where lookups can wait, none goes to a connection before the host has proved that it answers on
  // it: behind a load balancer or a pooler it may be made and lost again, and a lookup has two
  // tries.
  bool AsksFirst(std::size_t index) const {
    return outage_wait_ > Duration::zero() && hosts_[index].trust.unproven();
  }
  // Has a connection, or the prospect of one. A host that is down counts only with an open
  // connection, nobody waits for its probe: unless an outage is waited for, and it may pass.
  bool MayServe(std::size_t index) const;
  bool AnyMayServe() const;
  // No other host has a connection or the prospect of one. The end of an outage is no prospect
  // here.
  bool Alone(std::size_t index) const;
  // Lookups have a host to go to that has another label, and is not known to be of no use.
  bool CanDoWithout(std::string_view label) const;

 private:
  bool TakesConnection(const PoolHost& host, Time now) const;
  bool InService(const PoolHost& host) const;  // it has a connection, or is not known to be down
  bool Counts(const PoolHost& host) const;     // what is there of its class is enough
  using Class = std::pair<bool, HostKind>;     // a primary where a standby is preferred; its kind
  Class ClassOf(const PoolHost& host) const;
  std::optional<Class> BestClass() const;  // of those that are up
  Outage::Hosts Seen() const;
  bool KeepsFavourite() const;
  bool Sticks() const;  // to the favourite, and it is connected to

  std::vector<PoolHost> hosts_;
  config::HostsPolicy policy_ = config::HostsPolicy::kSpread;
  bool prefers_standby_ = false;
  std::optional<std::size_t> favourite_;  // sticky: where connections go
  Duration outage_wait_{};
  Outage outage_;
};

}  // namespace proxymux::pgsql
