// How many connections a pool may have, how much each may have in flight, and which one is given up
// when another is wanted more. Pure: it names connections, and the pool drains, closes or drops
// them.
#pragma once

#include <cstddef>
#include <optional>

#include "pgsql/connection/pool_connection.h"
#include "pgsql/host/host_set.h"
#include "pgsql/policy/pool_view.h"

namespace proxymux::pgsql {

class ConnectionBudget {
 public:
  // Of the limit one is kept free, to find out when a host that is down comes back.
  static std::size_t Usable(std::size_t limit, const HostSet& hosts);
  // Those that are not closed.
  static std::size_t Open(const PoolView& view);
  // Those to hosts that are too far behind: they are there to ask the host how far it is.
  static std::size_t OfHostsBehind(const PoolView& view);
  // How many statements a connection may have in flight now, `most` at most. What is sent cannot
  // move any more, so as long as other connections are being opened, or are about to be, each takes
  // no more than its share of what is outstanding.
  static std::size_t Depth(const PoolView& view, std::size_t most, std::size_t outstanding,
                           std::size_t wanted);
  // An attempt to connect takes so long that what waits needs another one.
  static bool Overdue(const PoolView& view, const PoolConnection& connection);

  // One that was begun later, to the same host, was made and has been answered.
  static bool Overtaken(const PoolView& view, const PoolConnection& attempt);
  // It is overtaken, and hangs for many times as long as connecting takes there: it is to be
  // closed.
  static bool Hopeless(const PoolView& view, const PoolConnection& attempt);

  // Beyond the limit, after it was lowered: is to end as it runs empty. Null: none is.
  static PoolConnection* Surplus(const PoolView& view, std::size_t limit);
  // The one with the least in flight, of any host or of one; null: there is none, or one is on its
  // way out already.
  static PoolConnection* LeastBusy(const PoolView& view, std::optional<std::size_t> of_host);
  // Of a host that is too far behind, where no other one has any; null: another one has.
  static PoolConnection* OfOneBehind(const PoolView& view);
  // A host that is not too far behind, that nobody is connected to, and that may be connected to.
  static std::optional<std::size_t> HostNotBehind(const HostSet& hosts, Time now);
  // It was idle for `idle_interval`; or for long enough to its host, which is apart
  // (ReplicaLag::Apart), since a new one may lead to another server. Of one that is idle.
  static bool IdleForLong(const PoolView& view, const PoolConnection& connection,
                          Duration idle_interval);
  // Idle, of a host that is suspect: whether it still works, the test has to show.
  static PoolConnection* Untested(const PoolView& view, std::size_t host);
  // Owes answers for too long, and only to reads; of any host or of one.
  static PoolConnection* Silent(const PoolView& view, std::optional<std::size_t> of_host);

  // While lookups wait for a host: what is to be done about attempts to connect to it that hang. A
  // load balancer may accept and say nothing until another server stands behind it.
  struct AnotherAttempt {
    bool due = false;
    PoolConnection* in_place_of = nullptr;  // null: beside those that there are
  };
  static AnotherAttempt BesideHanging(const PoolView& view, std::size_t host, std::size_t limit);

  // The host is on trial, and all that is there of it is silent: poolers leave sessions hanging
  // that they have let in. It may also be the question that takes so long.
  static AnotherAttempt BesideSilent(const PoolView& view, std::size_t host, std::size_t limit,
                                     Duration stall_limit);

  // Room for somebody who waits for a connection to that host that is no other table's.
  struct SessionRoom {
    bool coming = false;               // will be there anyway
    PoolConnection* victim = nullptr;  // of the connections that are tables' own; null: none
  };
  static SessionRoom RoomForSession(const PoolView& view, std::size_t host);
};

}  // namespace proxymux::pgsql
