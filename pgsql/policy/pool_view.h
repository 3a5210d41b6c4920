// What the policies of a pool look at, at one moment: its connections and hosts, and what is known
// of this turn. Owns nothing; made anew whenever a policy is asked, since connections come and go.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "pgsql/connection/pool_connection.h"
#include "pgsql/host/host_set.h"
#include "pgsql/runtime/event_loop.h"
#include "pgsql/work/work.h"

namespace proxymux::pgsql {

struct PoolView {
  std::span<const std::unique_ptr<PoolConnection>> connections;
  const HostSet& hosts;
  Time now;
  std::uint64_t turn = 0;      // its number
  std::size_t depth = 1;       // statements that one connection may have in flight
  std::size_t usable = 1;      // connections that there may be
  bool sharers_about = false;  // somebody wants a connection that is nobody's own, or did just now
  bool quick_about = false;    // or one that is no lane

  const HostHealth& HealthOf(const PoolConnection& connection) const {
    return hosts[connection.host].health;
  }
  // The pool's own question has to be answered there before a lookup is sent.
  bool Unproven(const PoolConnection& connection) const {
    return !connection.answered.has_value() && hosts.AsksFirst(connection.host);
  }
  // The host is on trial, and this one's answer ends that.
  bool EndsTrial(const PoolConnection& connection) const {
    const HostHealth& health = HealthOf(connection);
    return health.state() == HostHealth::State::kTrial && connection.opened >= health.since();
  }
  // One statement at a time, until one is answered.
  bool InTrial(const PoolConnection& connection) const {
    return !connection.idle() && (Unproven(connection) || EndsTrial(connection));
  }
  // It owes an answer for that long: it takes nothing new while another one can.
  bool Quiet(const PoolConnection& connection) const {
    constexpr Duration kQuiet = std::chrono::milliseconds(25);
    const std::optional<Time> since = connection.SilentSince();
    return since.has_value() && now - *since >= kQuiet;
  }
  // It may be gone, and has its one statement until it answers.
  bool PerhapsGone(const PoolConnection& connection) const {
    return !connection.idle() && hosts[connection.host].trust.PerhapsGone(connection.answered, now);
  }
  // Only the question how far its host is behind may be sent there.
  bool Barred(const PoolConnection& connection) const { return hosts[connection.host].barred; }
  // Nothing is kept for a connection that may never be there.
  bool Doubtful(const PoolConnection& connection) const { return Doubtful(connection.host); }
  bool Doubtful(std::size_t host) const {
    const HostHealth::State state = hosts[host].health.state();
    return state == HostHealth::State::kDown || state == HostHealth::State::kSuspect;
  }
  // The work was sent to the connection's host, and should go to another one now, or to none.
  bool PrefersOther(const Work& work, const PoolConnection& connection) const {
    return work.attempts.PrefersOther(connection.host, hosts);
  }
};

}  // namespace proxymux::pgsql
