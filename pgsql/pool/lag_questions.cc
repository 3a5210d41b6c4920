#include "pgsql/pool/lag_questions.h"

#include <cstddef>
#include <memory>
#include <optional>

#include "pgsql/host/error_class.h"
#include "pgsql/host/replica_lag.h"
#include "pgsql/host/replica_state.h"
#include "pgsql/policy/placement.h"
#include "pgsql/work/work_queues.h"

namespace proxymux::pgsql {
namespace {

// A server that has not the functions, or a role that may not call them, has them no more the next
// time; nor does one whose answer is another one's. Everything else passes.
ReplicaLag::Failure FailureOf(const StatementResult& result) {
  const bool refused =
      result.kind == StatementResult::Kind::kRows || RefusesQuestion(result.sqlstate);
  return refused ? ReplicaLag::Failure::kRefusal : ReplicaLag::Failure::kPassing;
}

}  // namespace

void LagQuestions::Look() {
  pool_->lag_rule.Look(pool_->loop->RealNow(), &pool_->hosts);
  for (std::size_t host = 0; host < pool_->hosts.size(); ++host) Tell(host);
}

// As long as nothing is known of it, it is what it was.
void LagQuestions::Tell(std::size_t index) {
  const PoolHost& host = pool_->hosts[index];
  Told& told = told_[index];
  switch (host.lag.standing()) {
    case ReplicaLag::Standing::kUnknown:
      return;
    case ReplicaLag::Standing::kBehind: {
      const bool apart = host.lag.Apart();
      const bool used = pool_->lag_rule.uses_those_behind() && !apart;
      const Told is{told.behind_since.value_or(pool_->Now()), used, apart, host.lag.Demoted()};
      if (told == is) return;
      pool_->last_failure = host.label + ": " + host.lag.Why();
      told = is;
      pool_->observer->OnHostBehind(pool_->config.name, host, used);
      return;
    }
    case ReplicaLag::Standing::kCurrent:
      if (!told.behind_since.has_value()) return;
      // Where nobody asks, or when it cannot say any more, that is not known.
      if (pool_->lag_rule.AsksFirst() && host.lag.lag().has_value()) {
        pool_->observer->OnHostCaughtUp(pool_->config.name, host, pool_->Now() - *told.behind_since,
                                        told.apart);
      }
      told = {};
      return;
  }
}

void LagQuestions::Ask() {
  const bool waited_for = !work_->queues().empty();
  const bool asks_first = pool_->lag_rule.AsksFirst();
  if (!(waited_for && pool_->config.shows_lag) && !asks_first) return;
  for (std::size_t index = 0; index < pool_->hosts.size(); ++index) {
    PoolHost& host = pool_->hosts[index];
    host.unasked = false;
    if (!waited_for && !(pool_->lag_rule.role_counts() && !host.lag.RoleKnown())) continue;
    if (!host.lag.ShouldAsk(pool_->Now(), pool_->lag_rule.limit())) continue;
    PoolConnection* const best = Placement::ChooseForLag(connections_->View(), index);
    host.unasked = best == nullptr;
    if (best == nullptr) continue;
    // Who only wants to see it does not make the first lookup of a connection wait.
    if (!best->answered.has_value() && !asks_first) continue;
    const std::shared_ptr<TableBinding> binding = work_->TableForQuestion();
    if (binding == nullptr) return;
    Work* work = work_->New(Work::Kind::kLag, binding);
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
    pool_->lag_rule.OnAnswered(*state, work.asked, pool_->loop->RealNow(), connection.host,
                               &pool_->hosts);
  } else if (host.lag.OnFailed(FailureOf(result), pool_->Now()) && pool_->lag_rule.AsksFirst()) {
    pool_->observer->OnLagUnknown(
        pool_->config.name, host,
        result.message.empty() ? "its answer has another form" : result.message);
  }
  pool_->ScheduleDispatch();
}

}  // namespace proxymux::pgsql
