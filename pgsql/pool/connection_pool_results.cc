#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include "pgsql/pool/connection_pool.h"

// The part of ConnectionPool that takes what servers answer: rows, errors and what follows from
// them.

namespace proxymux::pgsql {
namespace {

// How long no statement is prepared on a host where they vanish.
constexpr auto kTextOnly = std::chrono::minutes(10);

constexpr std::string_view kUntypedParameter = "42P18";

std::string_view EmptyColumns(const FormatOutcome& outcome) {
  return outcome.empty == 0 ? std::string_view()
                            : "the query returned NULL or empty columns, which are skipped";
}

// A statement or portal of that name is not there, or one is there already.
bool IsUnknownStatement(std::string_view sqlstate) {
  return sqlstate == "26000" || sqlstate == "34000" || sqlstate == "42P05";
}

// libpq makes a result of what it gets even when a message was changed on its way: rows that were
// skipped, another statement's rows, or no rows for a statement that was said to be empty. What the
// server says that it ran tells. Without SQLSTATE and so the connection's fault.
bool Fits(const Work& work, const StatementResult& result) {
  constexpr std::string_view kSelect = "SELECT ";
  const std::string_view tag = result.tag;
  if (work.kind == Work::Kind::kPrepare) return tag.empty() && result.rows->columns() == 0;
  if (tag.empty()) {
    return work.kind == Work::Kind::kLookup &&
           work.binding->table->statement_class().statements == 0;
  }
  if (!tag.starts_with(kSelect) || result.rows->columns() == 0) return true;
  std::size_t rows = 0;
  const char* const end = tag.data() + tag.size();
  const auto parsed = std::from_chars(tag.data() + kSelect.size(), end, rows);
  return parsed.ec == std::errc() && parsed.ptr == end && rows == result.rows->rows();
}

// What libpq says itself has several.
std::string FirstLine(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

Phase PhaseOf(const Work& work) {
  if (work.kind == Work::Kind::kPrepare) return Phase::kPrepare;
  return work.form == StatementForm::kPrepared ? Phase::kPrepared : Phase::kText;
}

}  // namespace

void ConnectionPool::OnResult(UpstreamConnection* upstream, Work* work,
                              const StatementResult& received) {
  PoolConnection& connection = Find(upstream);
  StatementResult result = received;
  SessionFate session = SessionFate::kGoesOn;
  if (result.kind == StatementResult::Kind::kRows && !Fits(*work, result)) {
    result = {};
    result.kind = StatementResult::Kind::kError;
    result.message = "the server's answer does not fit the statement";
    session = SessionFate::kStuck;
  }
  if (connection.phase() == PoolConnection::Phase::kOutdated && !result.fatal &&
      work->kind == Work::Kind::kLookup && !work->may_write && !work->script) {
    result = {};
    result.kind = StatementResult::Kind::kAborted;  // a new session is asked
  }
  // What libpq says itself is no sign of life.
  const bool from_server = result.kind != StatementResult::Kind::kError || !result.sqlstate.empty();
  const Time now = loop_->Now();
  CountBack(connection, work);
  if (result.kind != StatementResult::Kind::kAborted) {
    hosts_[connection.host].latency.Record(now - work->sent);
    // What a host that froze was late with says nothing about the statement.
    if (hosts_[connection.host].health.state() == HostHealth::State::kUp) {
      MeasureService(connection, *work, now);
    }
    if (work->kind == Work::Kind::kLookup && !work->is_second) {
      work->binding->usual_wait.Record(now - work->sent);
    }
  }
  connection.last_used = connection.last_result = now;
  if (from_server && !result.fatal) NoteAlive(connection, now);
  const bool answered_before = work->kind == Work::Kind::kLookup && !Awaited(*work);
  switch (result.kind) {
    case StatementResult::Kind::kAborted:
      TakeBackAttempt(connection, work);
      if (work->kind == Work::Kind::kPrepare) connection.prepared.Forget(work->statement);
      RunAgain(work, "aborted by another statement of its batch, or in a session that is outdated");
      break;
    case StatementResult::Kind::kRows:
      switch (work->kind) {
        case Work::Kind::kClassify:
          FinishClassify(connection, work, result);
          break;
        case Work::Kind::kStamp:
          FinishStamp(connection, *work, result);
          break;
        case Work::Kind::kPrepare:
        case Work::Kind::kDeallocate:
          break;
        case Work::Kind::kLookup:
          if (work->form == StatementForm::kText && work->binding->plan.OnTextAnswered()) {
            observer_->OnKeptAsText(*work->binding);
          }
          if (answered_before) break;
          if (result.tag.empty()) {  // Postfix, too, takes it for an error
            AnswerWork(work, {Outcome::kRetry, {}, "the query holds no statement"});
            break;
          }
          HandleRows(connection, work, *result.rows);
          break;
      }
      break;
    case StatementResult::Kind::kError:
      switch (work->kind) {
        case Work::Kind::kClassify:
          FinishClassify(connection, work, result);
          break;
        case Work::Kind::kStamp:
          FinishStamp(connection, *work, result);
          break;
        case Work::Kind::kPrepare:
          session = std::max(session, HandlePrepareError(connection, work, result));
          break;
        case Work::Kind::kDeallocate:  // it is not there, which was wanted
          break;
        case Work::Kind::kLookup:
          session = std::max(session, HandleError(connection, work, result));
          break;
      }
      break;
  }
  // What a statement left behind in the session must not meet another table's; and what it left in
  // libpq's buffer is not kept.
  if ((work->script && work->binding->table->statement_class().changes_session) ||
      (connection.upstream->Swollen() && !connection.draining())) {
    connection.Drain();
    ScheduleDispatch();
  }
  if (WorkList::ListOf(work) == nullptr) Recycle(work);  // answered, and not in the queue again
  if (connection.idle()) connection.cancel.OnAllAnswered();
  const Loss loss = session == SessionFate::kStuck ? Loss::kSessionStuck : Loss::kPerhapsHost;
  if (result.fatal) {
    // Its end may show later than this: what was sent on it meanwhile would have wasted an attempt.
    DropConnection(connection, std::string(result.message), loss);
  } else if (session == SessionFate::kStuck) {
    DropConnection(
        connection,
        result.message.empty() ? "the session is stuck after an error" : FirstLine(result.message),
        loss);
  }
  if (!queues_.empty()) ScheduleDispatch();
}

void ConnectionPool::NoteAlive(PoolConnection& connection, Time now) {
  connection.answered = true;
  connection.stalled = false;
  PoolHost& host = hosts_[connection.host];
  host.last_result = now;
  host.retried_at_once = false;
  const Time down_since = host.health.down_since();
  if (host.health.OnAnswered(now)) observer_->OnHostUp(config_.name, host, now - down_since);
}

// What was not run does not count.
void ConnectionPool::TakeBackAttempt(const PoolConnection& connection, Work* work) {
  for (Work* one : {work, work->first}) {
    if (one != nullptr) one->attempts.TakeBack(connection.host);
  }
}

AnswerOrigin ConnectionPool::OriginOf(const PoolConnection& connection, const Work& work,
                                      std::size_t rows) const {
  return {hosts_[connection.host].label, work.form, rows, loop_->Now() - work.sent, work.asked};
}

void ConnectionPool::HandleRows(const PoolConnection& connection, Work* work,
                                const RowSource& rows) {
  const AnswerOrigin origin = OriginOf(connection, *work, rows.rows());
  value_.clear();
  const FormatOutcome outcome = work->binding->table->Format(rows, KeyParts(work->key), &value_);
  switch (outcome.status) {
    case FormatStatus::kFound:
      AnswerWork(work, {Outcome::kFound, value_, EmptyColumns(outcome), origin});
      break;
    case FormatStatus::kNotFound:
      AnswerWork(work, {Outcome::kNotFound, {}, EmptyColumns(outcome), origin});
      break;
    case FormatStatus::kTooManyElements:
      AnswerWork(work, {Outcome::kRetry,
                        {},
                        "the result has more elements than expansion_limit allows",
                        origin});
      break;
    case FormatStatus::kTooLarge:
      AnswerWork(work, {Outcome::kRetry, {}, "the result is larger than max_value allows", origin});
      break;
  }
  if (value_.capacity() > 64 * 1024) std::string().swap(value_);
}

ConnectionPool::SessionFate ConnectionPool::HandleError(PoolConnection& connection, Work* work,
                                                        const StatementResult& result) {
  const ErrorVerdict verdict = ClassifyError({result.sqlstate, result.fatal, PhaseOf(*work)});
  std::string reason = hosts_[connection.host].label;
  reason += ": ";
  reason += result.message;
  if (!result.sqlstate.empty()) reason.append(" (SQLSTATE ").append(result.sqlstate).append(")");
  switch (verdict.fault) {
    case Fault::kKey:
    case Fault::kUntyped:
    case Fault::kNotPreparable:
      AnswerWork(work, {Outcome::kRetry, {}, reason, OriginOf(connection, *work, 0)});
      return SessionFate::kGoesOn;
    case Fault::kStatement:
      if (work->form == StatementForm::kParameterized) {
        RefuseParameters(connection, work, result);
        return SessionFate::kGoesOn;
      }
      work->binding->plan.OnTextFailed(loop_->Now());
      // A mirror that is being restored may lack the table that the other one has.
      work->attempts.Exhaust(connection.host);
      if (Asked(work)->attempts.UntriedMayServe(hosts_, loop_->Now())) {
        RunAgain(work, reason);
        return SessionFate::kGoesOn;
      }
      AnswerWork(work, {Outcome::kConfig, {}, reason, OriginOf(connection, *work, 0)});
      return SessionFate::kGoesOn;
    case Fault::kCancelled:
      if (!connection.cancel.MayHaveHit(loop_->Now())) {
        // An administrator, or statement_timeout.
        AnswerWork(work, {Outcome::kRetry, {}, reason, OriginOf(connection, *work, 0)});
        return SessionFate::kGoesOn;
      }
      // By us. Alone it is the one that took too long. Otherwise it may be a neighbour of that one,
      // or one that was sent when that one had just been answered: it has another try here.
      if (connection.cancel.HitsTheOne()) {
        work->attempts.Exhaust(connection.host);
      }
      connection.cancel.OnCancelled();
      RunAgain(work, "no answer within query_timeout");
      return SessionFate::kGoesOn;
    case Fault::kConflict:
    case Fault::kElsewhere:
      RunAgain(work, reason);
      return SessionFate::kGoesOn;
    case Fault::kPrepared:
      HandlePreparedError(connection, work, result);
      return SessionFate::kGoesOn;
    case Fault::kConnection:
      ChargeLoss(connection, work);
      RunAgain(work, reason);
      return SessionFate::kStuck;
    case Fault::kHostFull:
    case Fault::kHost:
      ++hosts_[connection.host].failures;
      if (result.fatal) ChargeLoss(connection, work);
      RunAgain(work, reason);
      return SessionFate::kGoesOn;
  }
  return SessionFate::kGoesOn;
}

// The parameters may be to blame.
void ConnectionPool::RefuseParameters(PoolConnection& connection, Work* work,
                                      const StatementResult& result) {
  StatementPlan& plan = work->binding->plan;
  if (plan.id() == work->statement) {
    if (result.sqlstate == kUntypedParameter) {
      plan.OnUntyped(result.message);
    } else {
      plan.OnRefused(result.message);
      Asked(work)->as_text = true;
    }
  }
  TakeBackAttempt(connection, work);
  RunAgain(work, result.message);
}

// The prepared statement is gone or no longer fits the database: this lookup goes on as text, the
// next ones prepare again.
void ConnectionPool::HandlePreparedError(PoolConnection& connection, Work* work,
                                         const StatementResult& result) {
  if (IsUnknownStatement(result.sqlstate)) {
    OnStatementVanished(connection, *work);
  } else {
    connection.prepared.Retire(work->statement);
  }
  Asked(work)->as_text = true;
  TakeBackAttempt(connection, work);
  RunAgain(work, result.message);
}

void ConnectionPool::OnStatementVanished(PoolConnection& connection, const Work& work) {
  PoolHost& host = hosts_[connection.host];
  if (!connection.prepared.OnVanished(work.statement, work.sent, loop_->Now())) return;
  if (loop_->Now() < host.text_until) return;
  host.text_until = loop_->Now() + kTextOnly;
  observer_->OnStatementsVanish(config_.name, host);
}

// Whoever waits for the statement was aborted with it and runs again.
ConnectionPool::SessionFate ConnectionPool::HandlePrepareError(PoolConnection& connection,
                                                               Work* work,
                                                               const StatementResult& result) {
  const ErrorVerdict verdict = ClassifyError({result.sqlstate, result.fatal, Phase::kPrepare});
  StatementPlan& plan = work->binding->plan;
  const bool current = plan.id() == work->statement;
  SessionFate session = SessionFate::kGoesOn;
  switch (verdict.fault) {
    case Fault::kUntyped:
      if (current) plan.OnUntyped(result.message);
      break;
    case Fault::kNotPreparable:
    case Fault::kKey:
    case Fault::kStatement:
      if (current) plan.OnRefused(result.message);
      break;
    case Fault::kPrepared:
      OnStatementVanished(connection, *work);
      break;
    case Fault::kCancelled:
      connection.cancel.OnCancelled();
      plan.PutOff(loop_->Now());
      break;
    case Fault::kConnection:
      session = SessionFate::kStuck;
      break;
    case Fault::kHostFull:
    case Fault::kHost:
      ++hosts_[connection.host].failures;
      plan.PutOff(loop_->Now());
      break;
    case Fault::kConflict:
    case Fault::kElsewhere:
      plan.PutOff(loop_->Now());
      break;
  }
  connection.prepared.Forget(work->statement);
  return session;
}

}  // namespace proxymux::pgsql
