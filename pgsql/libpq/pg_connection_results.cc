#include <string>
#include <utility>

#include "pgsql/libpq/pg_connection.h"
#include "pgsql/libpq/pg_result.h"
#include "pgsql/libpq/pg_server_parameters.h"

// The part of PgConnection that holds what the server answers against what was sent.

namespace proxymux::pgsql {
namespace {

constexpr char kOutOfStep[] = "the server and the client are out of step";
constexpr char kSettingsChanged[] = "the settings of the role or the database were changed";
constexpr char kCopyRefused[] = "the query is a COPY, which a lookup cannot use";

// Of a result: what libpq's buffer, which holds at least its largest row, may keep for the life of
// a connection.
constexpr std::size_t kMuchBuffer = 4 << 20;

}  // namespace

// False, from here on: the connection was lost, or the observer closed it.
bool PgConnection::DeliverResult(PgResultHandle result) {
  swollen_ = swollen_ || (result != nullptr && PQresultMemorySize(result.get()) > kMuchBuffer);
  if (script_.running()) return DeliverScriptResult(std::move(result));
  if (result == nullptr) {
    // The separator behind a statement. libpq gives one at a time; more mean that it expects
    // nothing further, as after the connection was lost.
    if (++separators_ <= 2) return true;
    ReportLost(PQstatus(connection_.get()) == CONNECTION_BAD
                   ? FirstLine(PQerrorMessage(connection_.get()))
                   : kOutOfStep);
    return false;
  }
  separators_ = 0;
  switch (ledger_.Next(held_.size())) {
    case PipelineLedger::Expected::kNothing:
      return true;
    case PipelineLedger::Expected::kSync:
      return DeliverSync(std::move(result));
    case PipelineLedger::Expected::kCheck:
      return DeliverCheck(std::move(result));
    case PipelineLedger::Expected::kJitOff:
      return DeliverJitOff(std::move(result));
    case PipelineLedger::Expected::kStatement:
      return DeliverAnswer(std::move(result));
  }
  return false;
}

bool PgConnection::DeliverScriptResult(PgResultHandle result) {
  if (result != nullptr) {
    if (IsCopy(PQresultStatus(result.get()))) {
      RefuseRunning("0A000", kCopyRefused);  // libpq would repeat this result for ever
      return false;
    }
    script_.Add(std::move(result));
    return true;
  }
  const PgResultHandle last = script_.TakeLast(connection_.get());
  const ResultRows rows(last.get());
  const auto answer = AnswerOf(last.get(), rows);
  if (!answer.has_value()) {
    ReportLost(kOutOfStep);
    return false;
  }
  const bool transaction_open = PQtransactionStatus(connection_.get()) != PQTRANS_IDLE;
  observer_->OnResult(this, script_.End(), *answer);
  if (state_ != State::kReady) return false;
  if (!transaction_open) return true;
  ReportLost("the query left a transaction open");
  return false;
}

bool PgConnection::DeliverSync(PgResultHandle result) {
  if (PQresultStatus(result.get()) != PGRES_PIPELINE_SYNC) {
    const StatementResult error = ErrorOf(result.get());
    if (error.sqlstate.empty() || error.fatal || sync_error_ != nullptr) {
      ReportLost(error.message.empty() ? kOutOfStep : FirstLine(error.message));
      return false;
    }
    sync_error_ = std::move(result);  // the end of the Sync comes behind it
    return true;
  }
  const PgResultHandle error = std::move(sync_error_);
  // What was told already was undone, unlike what such a batch answers from now on.
  commits_may_fail_ = commits_may_fail_ || (error != nullptr && held_.size() == 0);
  const auto fate = error == nullptr ? HeldResults::Fate::kStands : HeldResults::Fate::kUndone;
  if (!EndHeld(fate, error.get())) return false;
  ledger_.PopSync();
  if (SuitsTarget(connection_.get(), wanted_session_)) {
    if (AllAnswered()) observer_->OnAllAnswered(this);
    return state_ == State::kReady;
  }
  ReportLost("the server is no longer what target_session_attrs asks for");
  return false;
}

bool PgConnection::DeliverCheck(PgResultHandle result) {
  const ResultRows rows(result.get());
  const auto answer = AnswerOf(result.get(), rows);
  ledger_.PopCheck();
  const bool was_pooled = check_.pooled();
  // An error without SQLSTATE is libpq's.
  const bool is_error = answer.has_value() && answer->kind == StatementResult::Kind::kError;
  if (!answer.has_value() || (is_error && (answer->fatal || answer->sqlstate.empty())) ||
      !check_.OnAnswer(*answer)) {
    ReportLost(is_error ? FirstLine(answer->message) : kOutOfStep);
    return false;
  }
  commits_may_fail_ = commits_may_fail_ || check_.serializable();
  if (was_pooled && !check_.pooled()) observer_->OnNoPooler(this);
  if (state_ != State::kReady || !check_.outdated()) return state_ == State::kReady;
  observer_->OnOutdated(this);
  if (state_ == State::kReady && script_.waits()) ReportLost(kSettingsChanged);  // it did not run
  return state_ == State::kReady;
}

bool PgConnection::DeliverJitOff(PgResultHandle result) {
  const ResultRows rows(result.get());
  const auto answer = AnswerOf(result.get(), rows);
  ledger_.PopJitOff();
  if (answer.has_value() && answer->kind == StatementResult::Kind::kRows) return true;
  // Aborted: the check in front of it failed.
  if (answer.has_value() && answer->kind == StatementResult::Kind::kAborted) return true;
  if (answer.has_value() && !answer->fatal && !answer->sqlstate.empty()) {
    may_turn_jit_off_ = false;
    return true;
  }
  ReportLost(answer.has_value() ? FirstLine(answer->message) : kOutOfStep);
  return false;
}

bool PgConnection::DeliverAnswer(PgResultHandle result) {
  const ResultRows rows(result.get());
  const auto answer = AnswerOf(result.get(), rows);
  if (!answer.has_value()) {
    if (IsCopy(PQresultStatus(result.get()))) {
      RefuseRunning("0A000", kCopyRefused);
    } else {
      ReportLost(std::string("unexpected reply from the server: ") +
                 PQresStatus(PQresultStatus(result.get())));
    }
    return false;
  }
  // What PREPARE made stays, whatever becomes of its batch; it has no tag.
  const bool lasts = held_.size() == 0 && answer->tag.empty();
  if (answer->kind == StatementResult::Kind::kRows && !lasts &&
      (commits_may_fail_ || ledger_.Holds(held_.size()))) {
    held_.Add(std::move(result));
    return true;
  }
  // An error undoes what stands before it.
  if (!EndHeld(HeldResults::Fate::kUndone, nullptr)) return false;
  observer_->OnResult(this, ledger_.PopStatement(), *answer);
  return state_ == State::kReady;
}

bool PgConnection::EndHeld(HeldResults::Fate fate, const PGresult* error) {
  HeldResults held = std::exchange(held_, {});
  while (const auto answer = held.Next(fate, error)) {
    observer_->OnResult(this, ledger_.PopStatement(), *answer);
    if (state_ != State::kReady) return false;
  }
  return true;
}

}  // namespace proxymux::pgsql
