#include "pgsql/pool/result_handler.h"

#include <chrono>
#include <string_view>

#include "pgsql/host/error_class.h"
#include "pgsql/policy/service_meter.h"
#include "pgsql/sql/key_parts.h"
#include "pgsql/table/compiled_table.h"
#include "pgsql/work/twin_lookups.h"

namespace proxymux::pgsql {
namespace {

using Kind = StatementResult::Kind;
using Loss = ConnectionSet::Loss;

// How long no statement is prepared on a host where they vanish.
constexpr auto kTextOnly = std::chrono::minutes(10);

// Of the value that is kept from one answer to the next.
constexpr std::size_t kKeptValue = 64 * 1024;

std::string_view EmptyColumns(const FormatOutcome& outcome) {
  return outcome.empty == 0 ? std::string_view()
                            : "the query returned NULL or empty columns, which are skipped";
}

}  // namespace

void ResultHandler::OnResult(PoolConnection& connection, Work* work,
                             const StatementResult& received) {
  const StatementResult result = AsItCounts(connection, *work, received);
  bool stuck = result.kind == Kind::kError && received.kind == Kind::kRows;
  connections_->CountBack(connection, work);
  Measure(connection, *work, result);
  switch (result.kind) {
    case Kind::kAborted:
      TwinLookups::TakeBackAttempt(work, connection.host);
      if (work->kind == Work::Kind::kPrepare) connection.prepared.Forget(work->statement);
      work_->RunAgain(
          work, "aborted by another statement of its batch, or in a session that is outdated");
      break;
    case Kind::kRows:
      if (work->kind == Work::Kind::kLookup) ++pool_->hosts[connection.host].counts.answered;
      HandleRows(connection, work, result);
      break;
    case Kind::kError:
      stuck = HandleError(connection, work, result) || stuck;
      break;
  }
  // What a statement left behind in the session must not meet another table's; and what it left in
  // libpq's buffer is not kept.
  if ((work->needs.script && work->binding->table->statement_class().changes_session) ||
      (connection.upstream->Swollen() && !connection.draining())) {
    connection.Drain();
    pool_->ScheduleDispatch();
  }
  if (WorkList::ListOf(work) == nullptr) work_->Recycle(work);  // and not in the queue again
  if (connection.idle()) connection.cancel.OnAllAnswered();
  if (result.fatal) {
    // Its end may show later than this: what was sent on it meanwhile would have wasted an attempt.
    connections_->Drop(connection, std::string(result.message),
                       stuck ? Loss::kSessionStuck : Loss::kPerhapsHost);
  } else if (stuck) {
    connections_->Drop(
        connection,
        result.message.empty() ? "the session is stuck after an error" : FirstLine(result.message),
        Loss::kSessionStuck);
  }
  if (!work_->queues().empty()) pool_->ScheduleDispatch();
}

// How long it took, and that its server lives.
void ResultHandler::Measure(PoolConnection& connection, const Work& work,
                            const StatementResult& result) {
  const Time now = pool_->Now();
  PoolHost& host = pool_->hosts[connection.host];
  if (result.kind != Kind::kAborted) {
    if (work.kind == Work::Kind::kLookup) host.latency.Record(now - work.sent);
    // What a host that froze was late with says nothing about the statement.
    const auto learned = host.health.state() == HostHealth::State::kUp
                             ? ServiceMeter::Measure(&connection, work, now)
                             : ServiceMeter::Learned::kNothing;
    if (learned != ServiceMeter::Learned::kNothing) work_->Reline(work.binding.get());
    if (learned == ServiceMeter::Learned::kOfBatch) {
      for (Work* other = connection.running(); other != nullptr; other = WorkList::Next(other)) {
        if (other->batch == work.batch) work_->Reline(other->binding.get());
      }
    }
    if (work.kind == Work::Kind::kLookup && !TwinLookups::IsSecond(work)) {
      work.binding->usual_wait.Record(now - work.sent);
    }
    if (work.wire.alone && result.kind == Kind::kRows) {
      host.lone_form.OnAnswered(work.binding.get(), work.wire.protocol, now - work.sent, now);
    }
  }
  connection.last_used = connection.last_result = now;
  // What libpq says itself is no sign of life.
  const bool from_server = result.kind != Kind::kError || !result.sqlstate.empty();
  if (from_server && !result.fatal) NoteAlive(connection);
}

void ResultHandler::NoteAlive(PoolConnection& connection) {
  const Time now = pool_->Now();
  connection.OnAnswered(now);
  PoolHost& host = pool_->hosts[connection.host];
  host.last_result = now;
  host.trust.OnAnswered(connection.opened);
  if (!host.trust.unproven()) host.retried_at_once = false;
  const Time down_since = host.health.down_since();
  if (host.health.OnAnswered(now, connection.opened)) {
    pool_->observer->OnHostUp(pool_->config.name, host, now - down_since);
  }
  pool_->hosts.LookForOutage(now);
}

void ResultHandler::HandleRows(PoolConnection& connection, Work* work,
                               const StatementResult& result) {
  switch (work->kind) {
    case Work::Kind::kClassify:
      catalogues_->OnEffects(connection, work, result);
      return;
    case Work::Kind::kStamp:
      catalogues_->OnStamp(connection, *work, result);
      return;
    case Work::Kind::kLag:
      lags_->OnAnswer(connection, *work, result);
      return;
    case Work::Kind::kPrepare:
    case Work::Kind::kDeallocate:
      return;
    case Work::Kind::kLookup:
      if (work->form == StatementForm::kText && work->binding->plan.OnTextAnswered()) {
        pool_->observer->OnKeptAsText(*work->binding);
      }
      if (!TwinLookups::Awaited(*work)) return;
      if (result.tag.empty()) {  // Postfix, too, takes it for an error
        work_->AnswerLookup(work, {Outcome::kRetry, {}, "the query holds no statement"});
        return;
      }
      AnswerRows(connection, work, *result.rows);
      return;
  }
}

void ResultHandler::AnswerRows(const PoolConnection& connection, Work* work,
                               const RowSource& rows) {
  const AnswerOrigin origin = OriginOf(connection, *work, rows.rows());
  value_.clear();
  const FormatOutcome outcome = work->binding->table->Format(rows, KeyParts(work->key), &value_);
  switch (outcome.status) {
    case FormatStatus::kFound:
      work_->AnswerLookup(work, {Outcome::kFound, value_, EmptyColumns(outcome), origin});
      break;
    case FormatStatus::kNotFound:
      work_->AnswerLookup(work, {Outcome::kNotFound, {}, EmptyColumns(outcome), origin});
      break;
    case FormatStatus::kTooManyElements:
      work_->AnswerLookup(work, {Outcome::kRetry,
                                 {},
                                 "the result has more elements than expansion_limit allows",
                                 origin});
      break;
    case FormatStatus::kTooLarge:
      work_->AnswerLookup(
          work, {Outcome::kRetry, {}, "the result is larger than max_value allows", origin});
      break;
  }
  if (value_.capacity() > kKeptValue) std::string().swap(value_);
}

AnswerOrigin ResultHandler::OriginOf(const PoolConnection& connection, const Work& work,
                                     std::size_t rows) const {
  return {pool_->hosts[connection.host].label, work.form, rows, pool_->Now() - work.sent,
          work.asked};
}

bool ResultHandler::HandleError(PoolConnection& connection, Work* work,
                                const StatementResult& result) {
  switch (work->kind) {
    case Work::Kind::kClassify:
      catalogues_->OnEffects(connection, work, result);
      return false;
    case Work::Kind::kStamp:
      catalogues_->OnStamp(connection, *work, result);
      return false;
    case Work::Kind::kLag:
      lags_->OnAnswer(connection, *work, result);
      return false;
    case Work::Kind::kDeallocate:  // it is not there, which was wanted
      return false;
    case Work::Kind::kPrepare:
    case Work::Kind::kLookup:
      break;
  }
  const Attempts& attempts = TwinLookups::Asked(work)->attempts;
  FailedTry failed{ClassifyError({result.sqlstate, result.fatal, StageOf(*work)}).fault};
  failed.fatal = result.fatal;
  failed.form = work->form;
  failed.plan_is_current = work->binding->plan.id() == work->statement;
  failed.untried_host = attempts.UntriedMayServe(pool_->hosts);
  failed.cancel_may_have_hit = connection.cancel.MayHaveHit(pool_->Now());
  failed.cancel_hits_the_one = connection.cancel.HitsTheOne();

  const bool is_lookup = work->kind == Work::Kind::kLookup;
  const ResultVerdict verdict = is_lookup ? JudgeLookup(failed) : JudgePrepare(failed);
  if (verdict.cancelled) connection.cancel.OnCancelled();
  if (is_lookup) {
    PoolHost::Counts& counts = pool_->hosts[connection.host].counts;
    ++(verdict.host_failed ? counts.failures : counts.answered);
  }
  Learn(connection, *work, verdict.lesson, result);
  if (is_lookup) {
    FailLookup(connection, work, verdict, result);
  } else {
    connection.prepared.Forget(work->statement);
  }
  return verdict.session_stuck;
}

void ResultHandler::FailLookup(const PoolConnection& connection, Work* work,
                               const ResultVerdict& verdict, const StatementResult& result) {
  if (verdict.as_text) TwinLookups::Asked(work)->needs.as_text = true;
  switch (verdict.attempt) {
    case ResultVerdict::Attempt::kCounts:
      if (verdict.pause > Duration::zero()) connections_->ForgiveAfterLoss(connection, work);
      break;
    case ResultVerdict::Attempt::kTakenBack:
      TwinLookups::TakeBackAttempt(work, connection.host);
      break;
    case ResultVerdict::Attempt::kExhausted:
      work->attempts.Exhaust(connection.host);
      break;
    case ResultVerdict::Attempt::kLost:
      connections_->ChargeLoss(connection, work);
      break;
  }
  std::string reason = pool_->hosts[connection.host].label;
  reason.append(": ").append(result.message);
  if (!result.sqlstate.empty()) reason.append(" (SQLSTATE ").append(result.sqlstate).append(")");
  switch (verdict.next) {
    case ResultVerdict::Next::kRetry:
      work_->AnswerLookup(work, {Outcome::kRetry, {}, reason, OriginOf(connection, *work, 0)});
      break;
    case ResultVerdict::Next::kConfig:
      work_->AnswerLookup(work, {Outcome::kConfig, {}, reason, OriginOf(connection, *work, 0)});
      break;
    case ResultVerdict::Next::kAgain:
      if (verdict.pause > Duration::zero()) work_->PauseBefore(work, verdict.pause);
      work_->RunAgain(work, verdict.cancelled ? "no answer within query_timeout" : reason);
      break;
  }
}

void ResultHandler::Learn(PoolConnection& connection, const Work& work,
                          ResultVerdict::Lesson lesson, const StatementResult& result) {
  StatementPlan& plan = work.binding->plan;
  switch (lesson) {
    case ResultVerdict::Lesson::kNothing:
      break;
    case ResultVerdict::Lesson::kTextFailed:
      plan.OnTextFailed(pool_->Now());
      break;
    case ResultVerdict::Lesson::kUntyped:
      plan.OnUntyped(result.message);
      break;
    case ResultVerdict::Lesson::kRefused:
      plan.OnRefused(result.message);
      break;
    case ResultVerdict::Lesson::kPutOff:
      plan.PutOff(pool_->Now());
      break;
    case ResultVerdict::Lesson::kRetired:
      connection.prepared.Retire(work.statement);
      break;
    case ResultVerdict::Lesson::kVanished:
      NoteVanished(connection, work);
      break;
  }
}

void ResultHandler::NoteVanished(PoolConnection& connection, const Work& work) {
  const Time now = pool_->Now();
  PoolHost& host = pool_->hosts[connection.host];
  if (!connection.prepared.OnVanished(work.statement, work.sent, now)) return;
  if (now < host.text_until) return;
  host.text_until = now + kTextOnly;
  pool_->observer->OnStatementsVanish(pool_->config.name, host);
}

}  // namespace proxymux::pgsql
