#include <algorithm>
#include <utility>

#include "pgsql/pool/connection_pool.h"

// The part of ConnectionPool that does not wait for a server which owes an answer: it asks another
// host too, and puts the silent one to the test.

namespace proxymux::pgsql {
namespace {

// Time on one server after which a lookup may be asked of another for being slower than usual.
constexpr Duration kLeastHedge = std::chrono::milliseconds(1);

constexpr char kSilent[] = "no answer within stall_limit";

}  // namespace

void ConnectionPool::AskAboutSilence(Time now) {
  const Duration limit = config_.settings.stall_limit;
  if (limit == Duration::zero()) return;
  // By index: a connection may be dropped, and stays in its place until the turn ends.
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    PoolConnection& connection = *connections_[i];
    const std::optional<Time> late = SilenceWatch::LateFrom(connection, limit);
    if (!late.has_value() || now < *late) continue;
    if (!std::exchange(connection.stalled, true)) AskCatalogueAgain(connection);
    const bool was_up = View().HealthOf(connection).state() == HostHealth::State::kUp;
    OnSilence(connection, now);
    if (connection.open()) AskOfOthers(connection);
    if (!connection.open() || !connection.Useless()) continue;
    switch (SilenceWatch::AboutUseless(View(), connection, was_up, *late)) {
      case SilenceWatch::Step::kWait:
        break;
      case SilenceWatch::Step::kCancel:
        StartCancel(connection, now);
        break;
      case SilenceWatch::Step::kDrop:
        DropConnection(connection, "it owes answers that came from another host");
        break;
    }
  }
}

void ConnectionPool::OnSilence(PoolConnection& connection, Time now) {
  PoolHost& host = hosts_[connection.host];
  switch (SilenceWatch::AboutHost(View(), connection, config_.settings.stall_limit)) {
    case SilenceWatch::HostStep::kNothing:
      break;
    case SilenceWatch::HostStep::kGiveUp:
      DropConnection(connection, kSilent);
      break;
    case SilenceWatch::HostStep::kTest:
      if (host.health.OnSilent(now, kSilent)) {
        observer_->OnHostSilent(config_.name, host, now - *connection.SilentSince());
      }
      break;
  }
}

// What waits for the catalogue's word must not wait for a silent server's. The first answer counts.
void ConnectionPool::AskCatalogueAgain(const PoolConnection& connection) {
  if (hosts_.size() == 1) return;
  for (Work* work = connection.running(); work != nullptr; work = WorkList::Next(work)) {
    if (work->kind == Work::Kind::kClassify && work->binding->write_class == WriteClass::kAsking) {
      Classify(work->binding);
    }
  }
}

bool ConnectionPool::MayAskElsewhere(const Work& work) const {
  return work.kind == Work::Kind::kLookup && work.sink != nullptr && work.second == nullptr &&
         !work.script && !work.may_write && rules_.Known(*work.binding) &&
         work.binding->write_class == WriteClass::kReads;
}

// Puts the question into the queue for a host that it was not sent to yet. False when there is
// none, or none without a connection being closed for it.
bool ConnectionPool::AskElsewhere(Work* work, bool may_make_room) {
  const bool room =
      may_make_room || connections_.size() < static_cast<std::size_t>(config_.settings.connections);
  bool possible = false;
  for (std::size_t host = 0; host < hosts_.size(); ++host) {
    possible = possible || (work->attempts.on(host) == 0 && hosts_.MayServe(host, loop_->Now()) &&
                            (room || hosts_[host].ready > 0) &&
                            hosts_[host].health.state() != HostHealth::State::kSuspect);
  }
  if (!possible) return false;
  Work* second = NewWork(Work::Kind::kLookup, work->binding);
  second->key = work->key;
  second->as_text = work->as_text;
  second->may_write = false;
  second->submitted = work->submitted;
  second->sequence = work->sequence;
  second->attempts.ExhaustTriedOf(work->attempts);
  second->first = work;
  second->is_second = true;
  work->second = second;
  Enqueue(second);
  return true;
}

void ConnectionPool::AskOfOthers(const PoolConnection& connection) {
  for (Work* work = connection.running(); work != nullptr; work = WorkList::Next(work)) {
    if (MayAskElsewhere(*work) && AskElsewhere(work, /*may_make_room=*/true)) ++counters_.stalled;
  }
}

void ConnectionPool::Hedge(Time now) {
  if (hedgeable_ == 0 || hosts_.size() == 1) return;
  for (const auto& connection : connections_) {
    for (Work* work = connection->running(); work != nullptr; work = WorkList::Next(work)) {
      if (now - work->sent < kLeastHedge) break;  // those behind it were sent later
      if (work->binding->settings.hedge_percent == 0 || !MayAskElsewhere(*work)) continue;
      UsualWait& usual = work->binding->usual_wait;
      if (!usual.LongerThanUsual(now - work->sent)) continue;
      if (!usual.MaySpend()) continue;
      if (!AskElsewhere(work, /*may_make_room=*/false)) continue;
      usual.Spend();
      ++counters_.hedged;
    }
  }
}

// Ends a silent connection for the sake of a better one; only one that has nothing but reads. Of
// any host, or of one.
bool ConnectionPool::DropSilent(std::optional<std::size_t> host) {
  PoolConnection* silent = ConnectionBudget::Silent(View(), host);
  if (silent == nullptr) return false;
  DropConnection(*silent, kSilent);
  return true;
}

// After a host failed its test: none of its connections gave a result since it became suspect, and
// nobody is to find out about the idle ones one after the other.
void ConnectionPool::DropSuspects(std::size_t host, const std::string& reason) {
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    PoolConnection& connection = *connections_[i];
    if (connection.open() && connection.host == host) {
      DropConnection(connection, reason);
    }
  }
}

}  // namespace proxymux::pgsql
