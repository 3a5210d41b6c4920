#include "pgsql/pool/second_asking.h"

#include <chrono>
#include <optional>

#include "pgsql/policy/second_try.h"
#include "pgsql/policy/silence_watch.h"
#include "pgsql/work/table_binding.h"

namespace proxymux::pgsql {
namespace {

// Time on one server after which a lookup may be asked of another for being slower than usual.
constexpr Duration kLeastHedge = std::chrono::milliseconds(1);

}  // namespace

void SecondAsking::WatchSilence() {
  const Duration limit = pool_->settings().stall_limit;
  if (limit == Duration::zero()) return;
  // By index: a connection may be dropped, and stays in its place until the turn ends.
  for (std::size_t i = 0; i < connections_->all().size(); ++i) {
    PoolConnection& connection = *connections_->all()[i];
    const std::optional<Time> late = SilenceWatch::LateFrom(connection, limit);
    if (!late.has_value() || pool_->Now() < *late) continue;
    if (connection.OnStalled()) OnLate(connection);
    const bool was_up = pool_->hosts[connection.host].health.state() == HostHealth::State::kUp;
    OnSilence(connection);
    if (connection.open()) AskOfOthers(connection);
    if (connection.open() && connection.Useless()) EndUseless(connection, was_up, *late);
    if (connection.open() && SilenceWatch::HasBroken(connections_->View(), connection, *late)) {
      if (connection.running()->kind == Work::Kind::kStamp) {
        pool_->hosts[connection.host].trust.OnQuestionGivenUp();
      }
      connections_->Cancel(connection);
      connections_->Drop(connection, ConnectionSet::kSilent, ConnectionSet::Loss::kSessionSilent);
    }
  }
}

void SecondAsking::OnSilence(PoolConnection& connection) {
  PoolHost& host = pool_->hosts[connection.host];
  switch (
      SilenceWatch::AboutHost(connections_->View(), connection, pool_->settings().stall_limit)) {
    case SilenceWatch::HostStep::kNothing:
      break;
    case SilenceWatch::HostStep::kGiveUp:
      connections_->Drop(connection, ConnectionSet::kSilent);
      break;
    case SilenceWatch::HostStep::kTest:
      if (host.health.OnSilent(pool_->Now(), ConnectionSet::kSilent)) {
        pool_->observer->OnHostSilent(pool_->config.name, host,
                                      pool_->Now() - *connection.SilentSince());
      }
      break;
  }
}

// All that it owes came from another host.
void SecondAsking::EndUseless(PoolConnection& connection, bool was_up, Time late) {
  switch (SilenceWatch::AboutUseless(connections_->View(), connection, was_up, late)) {
    case SilenceWatch::Step::kWait:
      break;
    case SilenceWatch::Step::kCancel:
      connections_->Cancel(connection);
      break;
    case SilenceWatch::Step::kDrop:
      connections_->Drop(connection, "it owes answers that came from another host");
      break;
  }
}

void SecondAsking::OnLate(const PoolConnection& connection) {
  if (connection.running()->kind == Work::Kind::kStamp &&
      connections_->View().Unproven(connection)) {
    pool_->hosts[connection.host].trust.OnQuestionLate();
  }
  AskCatalogueAgain(connection);
}

// What waits for the catalogue's word must not wait for a silent server's. The first answer counts.
void SecondAsking::AskCatalogueAgain(const PoolConnection& connection) {
  if (pool_->hosts.size() == 1) return;
  for (Work* work = connection.running(); work != nullptr; work = WorkList::Next(work)) {
    if (work->kind == Work::Kind::kClassify && work->binding->write_class == WriteClass::kAsking) {
      work_->AskAbout(work->binding);
    }
  }
}

void SecondAsking::AskOfOthers(const PoolConnection& connection) {
  for (Work* work = connection.running(); work != nullptr; work = WorkList::Next(work)) {
    if (AskTwice(work, /*may_make_room=*/true)) ++pool_->counters.stalled;
  }
}

void SecondAsking::Hedge() {
  if (!HedgesSoon()) return;
  const Time now = pool_->Now();
  for (const auto& connection : connections_->all()) {
    for (Work* work = connection->running(); work != nullptr; work = WorkList::Next(work)) {
      if (now - work->sent < kLeastHedge) break;  // those behind it were sent later
      if (work->binding->settings.hedge_percent == 0) continue;
      if (!SecondTry::MayBeAsked(*work, pool_->rules)) continue;
      UsualWait& usual = work->binding->usual_wait;
      if (!usual.LongerThanUsual(now - work->sent)) continue;
      if (!usual.MaySpend()) continue;
      if (!AskTwice(work, /*may_make_room=*/false)) continue;
      usual.Spend();
      ++pool_->counters.hedged;
    }
  }
}

// False when there is no host for it, or none without a connection being closed for it.
bool SecondAsking::AskTwice(Work* work, bool may_make_room) {
  if (!SecondTry::MayBeAsked(*work, pool_->rules)) return false;
  const bool room = may_make_room || connections_->all().size() < pool_->limit();
  const auto connections =
      room ? SecondTry::Connections::kMayBeOpened : SecondTry::Connections::kOpenOnes;
  if (!SecondTry::HasHost(*work, pool_->hosts, connections)) return false;
  work_->AskTwice(work);
  return true;
}

}  // namespace proxymux::pgsql
