#include "pgsql/pool/lag_questions.h"

#include <cstddef>
#include <optional>

#include "pgsql/host/replica_lag.h"
#include "pgsql/host/replica_state.h"
#include "pgsql/policy/placement.h"
#include "pgsql/work/work_queues.h"

namespace proxymux::pgsql {

void LagQuestions::Look() {
  pool_->lag_rule.Look(pool_->Now(), &pool_->hosts);
  for (std::size_t host = 0; host < pool_->hosts.size(); ++host) Tell(host);
}

// As long as nothing is known of it, it is what it was.
void LagQuestions::Tell(std::size_t index) {
  const PoolHost& host = pool_->hosts[index];
  std::optional<Time>& since = behind_since_[index];
  switch (host.lag.standing()) {
    case ReplicaLag::Standing::kUnknown:
      return;
    case ReplicaLag::Standing::kBehind:
      if (since.has_value()) return;
      since = pool_->Now();
      pool_->last_failure = host.label + ": " + host.lag.Why() + " (max_replica_lag)";
      pool_->observer->OnHostBehind(pool_->config.name, host, /*used=*/!host.barred);
      return;
    case ReplicaLag::Standing::kCurrent:
      if (!since.has_value()) return;
      pool_->observer->OnHostCaughtUp(pool_->config.name, host, pool_->Now() - *since);
      since.reset();
      return;
  }
}

void LagQuestions::Ask() {
  const WorkQueues& queues = work_->queues();
  const bool wanted = pool_->config.shows_lag || pool_->config.prefers_standby ||
                      pool_->lag_rule.limit() > Duration::zero();
  if (queues.empty() || !wanted) return;
  for (std::size_t host = 0; host < pool_->hosts.size(); ++host) {
    if (!pool_->hosts[host].lag.ShouldAsk(pool_->Now(), pool_->lag_rule.limit())) continue;
    PoolConnection* const best = Placement::ChooseForLag(connections_->View(), host);
    if (best == nullptr) continue;
    // Who only wants to see it does not make the first lookup of a connection wait.
    if (!best->answered && pool_->lag_rule.limit() == Duration::zero()) continue;
    Work* work = work_->New(Work::Kind::kLag, queues.Oldest()->binding);
    work->needs.may_write = false;
    sender_->Send(*best, work);
  }
}

void LagQuestions::OnAnswer(const PoolConnection& connection, const Work& work,
                            const StatementResult& result) {
  std::optional<ReplicaState> state;
  if (result.kind == StatementResult::Kind::kRows && result.rows->rows() == 1) {
    state = ParseReplicaState(result.rows->Value(0, 0));
  }
  PoolHost& host = pool_->hosts[connection.host];
  if (state.has_value()) {
    pool_->lag_rule.OnAnswered(*state, work.sent, &host);
  } else if (host.lag.OnFailed(pool_->Now()) && pool_->lag_rule.limit() > Duration::zero()) {
    pool_->observer->OnLagUnknown(
        pool_->config.name, host,
        result.message.empty() ? "its answer has another form" : result.message);
  }
  pool_->ScheduleDispatch();
}

}  // namespace proxymux::pgsql
