#include "pgsql/host/host_set.h"

#include <algorithm>
#include <tuple>

namespace proxymux::pgsql {

using State = HostHealth::State;

bool HostSet::TakesConnection(const PoolHost& host, Time now) const {
  if (host.health.disabled()) return false;
  // One is enough to be asked, unless it is busy.
  if (host.barred && host.connecting + (host.unasked ? 0 : host.ready) > 0) return false;
  switch (host.health.state()) {
    case State::kUp:
      return true;
    case State::kUntried:
      return host.connecting == 0;
    case State::kTrial:
      return host.connecting + host.ready == 0;
    case State::kDown:
      return host.connecting == 0 && host.health.MayConnect(now);
    case State::kSuspect:
      return false;  // but for the test
  }
  return false;
}

// One that has to be asked first takes one connection.
static bool InFullUse(const PoolHost& host) {
  if (host.health.state() != State::kUp || host.health.disabled()) return false;
  if (host.TooFarBehind() || host.Hangs()) return false;
  return !host.barred || host.connecting + host.ready == 0;
}

// A standby that nobody has tried yet is preferred to a primary.
bool HostSet::Counts(const PoolHost& host) const {
  const bool untried =
      host.health.state() == State::kUntried && host.connecting == 0 && !host.health.disabled();
  return InFullUse(host) || (prefers_standby_ && untried);
}

HostSet::Class HostSet::ClassOf(const PoolHost& host) const {
  return {prefers_standby_ && host.is_primary, host.kind};
}

std::optional<HostSet::Class> HostSet::BestClass() const {
  std::optional<Class> best;
  for (const PoolHost& host : hosts_) {
    if (Counts(host) && (!best.has_value() || ClassOf(host) < *best)) best = ClassOf(host);
  }
  return best;
}

bool HostSet::KeepsFavourite() const {
  if (policy_ != config::HostsPolicy::kSticky || !favourite_.has_value()) return false;
  const PoolHost& favourite = hosts_[*favourite_];
  const std::optional<Class> best = BestClass();
  if (favourite.health.disabled() || favourite.TooFarBehind()) return false;
  if (best.has_value() && *best < ClassOf(favourite)) return false;
  switch (favourite.health.state()) {
    case State::kUp:
      return !favourite.Hangs();
    case State::kUntried:
    case State::kTrial:
      return !favourite.slow_to_connect;
    case State::kSuspect:
    case State::kDown:
      return false;
  }
  return false;
}

std::optional<std::size_t> HostSet::ChooseForConnection(Time now, std::minstd_rand* random) {
  if (KeepsFavourite()) {
    return TakesConnection(hosts_[*favourite_], now) ? favourite_ : std::nullopt;
  }
  std::optional<std::size_t> best;
  const auto rank = [this](std::size_t index) {
    const PoolHost& host = hosts_[index];
    // A host that was down is tried by a probe, not in preference to one that is up.
    const bool down = host.health.state() == State::kDown;
    return std::make_tuple(host.TooFarBehind(), down, host.Hangs(), ClassOf(host),
                           host.connecting + host.ready);
  };
  std::size_t equals = 0;
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    if (!TakesConnection(hosts_[i], now)) continue;
    if (!best.has_value() || rank(i) < rank(*best)) {
      best = i;
      equals = 1;
    } else if (rank(i) == rank(*best)) {
      ++equals;
      if (std::uniform_int_distribution<std::size_t>(1, equals)(*random) == 1) best = i;
    }
  }
  favourite_ = best;
  return best;
}

std::optional<std::size_t> HostSet::ChooseForProbe(Time now) const {
  std::optional<std::size_t> longest;  // due
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    const PoolHost& host = hosts_[i];
    if (host.connecting > 0 || host.health.disabled()) continue;
    if (host.health.state() == State::kSuspect) return i;
    if (host.health.state() != State::kDown || !host.health.MayConnect(now)) continue;
    if (!longest.has_value() || host.health.retry_at() < hosts_[*longest].health.retry_at()) {
      longest = i;
    }
  }
  return longest;
}

bool HostSet::Sticks() const { return KeepsFavourite() && hosts_[*favourite_].ready > 0; }

bool HostSet::GivesWay(std::size_t index) const {
  if (hosts_[index].health.disabled()) return true;
  const std::optional<Class> best = BestClass();
  if (!best.has_value()) return false;
  return ClassOf(hosts_[index]) > *best || (Sticks() && index != *favourite_);
}

std::optional<std::size_t> HostSet::ChooseForRetirement() const {
  const std::optional<Class> best = BestClass();
  if (!best.has_value()) return std::nullopt;
  std::optional<std::size_t> most;
  std::optional<std::size_t> fewest;
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    const PoolHost& host = hosts_[i];
    const State state = host.health.state();
    if (host.health.disabled()) continue;  // all of its connections end anyway
    // What is being tried keeps its connection.
    if (state == State::kTrial || state == State::kSuspect) continue;
    if (host.TooFarBehind() && host.ready > 1) return i;
    if (host.TooFarBehind()) continue;
    if (host.ready > 0 && GivesWay(i)) return i;
    if (!InFullUse(host) || ClassOf(host) != *best) continue;
    const std::size_t has = host.connecting + host.ready;
    if (!most.has_value() || has > hosts_[*most].connecting + hosts_[*most].ready) most = i;
    if (!fewest.has_value() || has < hosts_[*fewest].connecting + hosts_[*fewest].ready) fewest = i;
  }
  if (Sticks() || !most.has_value() || !fewest.has_value()) return std::nullopt;
  const PoolHost& rich = hosts_[*most];
  const PoolHost& poor = hosts_[*fewest];
  const bool uneven = rich.connecting + rich.ready >= poor.connecting + poor.ready + 2;
  return uneven && rich.ready > 0 ? most : std::nullopt;
}

int HostSet::Reluctance(std::size_t index) const {
  if (hosts_[index].health.state() == State::kSuspect) return 2;
  return KeepsFavourite() && index != *favourite_ ? 1 : 0;
}

bool HostSet::MayConnect(Time now) const {
  return std::any_of(hosts_.begin(), hosts_.end(),
                     [&](const PoolHost& host) { return TakesConnection(host, now); });
}

bool HostSet::AnyDown() const {
  return std::ranges::any_of(hosts_, [](const PoolHost& host) {
    return host.health.state() == State::kDown && !host.health.disabled();
  });
}

bool HostSet::AllDown() const {
  return std::ranges::none_of(hosts_, [this](const PoolHost& host) { return InService(host); });
}

// The host is down for a reason that may pass by itself.
static bool Passes(const PoolHost& host) {
  return host.health.failure() == HostHealth::FailureKind::kUnreachable;
}

// One that was behind has to be asked whether it still is.
static bool AskedFirst(const PoolHost& host) { return host.barred && host.lag.WasBehind(); }

Outage::Hosts HostSet::Seen() const {
  Outage::Hosts seen = Outage::Hosts::kRefused;
  for (const PoolHost& host : hosts_) {
    if (host.health.disabled()) continue;  // it does not come back by itself
    Outage::Hosts like = Outage::Hosts::kTried;
    if (host.TooFarBehind()) {
      seen = std::min(seen, Outage::Hosts::kUnreachable);  // it may catch up
      continue;
    }
    switch (host.health.state()) {
      case State::kUp:
      case State::kSuspect:
        if (AskedFirst(host)) break;
        like = Outage::Hosts::kInUse;
        break;
      case State::kUntried:
        break;
      case State::kTrial:
      case State::kDown:
        // What is open works, be the server full; and shows it when it answers.
        if (host.ready > 0) {
          const bool answers = host.last_result > outage_.begun();
          if (answers && !AskedFirst(host)) like = Outage::Hosts::kInUse;
          break;
        }
        if (host.health.state() == State::kTrial) break;
        like = Passes(host) ? Outage::Hosts::kUnreachable : Outage::Hosts::kRefused;
        break;
    }
    seen = std::min(seen, like);
  }
  return seen;
}

bool HostSet::InService(const PoolHost& host) const {
  if (host.health.disabled()) return false;
  // A pooler without a server takes connections and says nothing. The pool's own question shows
  // when it has one again, and nobody is held up for that.
  const bool given_up = WaitsForOutages() && outage_.state() == Outage::State::kGivenUp;
  if (given_up && host.health.state() == State::kTrial && host.trust.question_late()) return false;
  return !host.TooFarBehind() && (host.ready > 0 || host.health.state() != State::kDown);
}

bool HostSet::MayServe(std::size_t index) const {
  const PoolHost& host = hosts_[index];
  if (host.health.disabled()) return false;
  return InService(host) || (outage_.waiting() && (host.TooFarBehind() || Passes(host)));
}

bool HostSet::Alone(std::size_t index) const {
  return std::ranges::none_of(
      hosts_, [&](const PoolHost& host) { return &host != &hosts_[index] && InService(host); });
}

bool HostSet::CanDoWithout(std::string_view label) const {
  return std::ranges::any_of(hosts_, [&](const PoolHost& host) {
    return host.label != label && InService(host) && !host.barred;
  });
}

bool HostSet::AnyMayServe() const {
  for (std::size_t index = 0; index < hosts_.size(); ++index) {
    if (MayServe(index)) return true;
  }
  return false;
}

}  // namespace proxymux::pgsql
