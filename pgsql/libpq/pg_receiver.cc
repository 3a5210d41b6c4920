#include "pgsql/libpq/pg_receiver.h"

#include <utility>

#include "pgsql/libpq/pg_result.h"
#include "pgsql/libpq/pg_server_parameters.h"

namespace proxymux::pgsql {
namespace {

constexpr char kOutOfStep[] = "the server and the client are out of step";
constexpr char kSettingsChanged[] = "the settings of the role or the database were changed";
constexpr char kCopyRefused[] = "the query is a COPY, which a lookup cannot use";

// Of a result: what libpq's buffer, which holds at least its largest row, may keep for the life of
// a connection.
constexpr std::size_t kMuchBuffer = 4 << 20;

}  // namespace

void PgReceiver::Open(PGconn* connection, std::string wanted_session) {
  connection_ = connection;
  wanted_session_ = std::move(wanted_session);
}

void PgReceiver::Close() {
  connection_ = nullptr;
  held_ = {};
  sync_error_.reset();
}

bool PgReceiver::Lost(std::string reason) {
  lost_because_ = std::move(reason);
  return false;
}

bool PgReceiver::GiveUp(std::string reason, ConnectionFault::End end) {
  end_ = end;
  return Lost(std::move(reason));
}

bool PgReceiver::Tell(Work* work, const StatementResult& result) {
  observer_->OnResult(upstream_, work, result);
  return open();
}

bool PgReceiver::Deliver(PgResultHandle result) {
  swollen_ = swollen_ || (result != nullptr && PQresultMemorySize(result.get()) > kMuchBuffer);
  if (sent_.script->running()) return DeliverScriptResult(std::move(result));
  if (result == nullptr) {
    // The separator behind a statement. libpq gives one at a time; more mean that it expects
    // nothing further, as after the connection was lost.
    if (++separators_ <= 2) return true;
    return Lost(PQstatus(connection_) == CONNECTION_BAD ? FirstLine(PQerrorMessage(connection_))
                                                        : kOutOfStep);
  }
  separators_ = 0;
  switch (sent_.ledger->Next(held_.size())) {
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

bool PgReceiver::DeliverScriptResult(PgResultHandle result) {
  if (result != nullptr) {
    if (IsCopy(PQresultStatus(result.get()))) {
      return Refuse("0A000", kCopyRefused);  // libpq would repeat this result for ever
    }
    sent_.script->Add(std::move(result));
    return true;
  }
  const PgResultHandle last = sent_.script->TakeLast(connection_);
  const ResultRows rows(last.get());
  const auto answer = AnswerOf(last.get(), rows);
  if (!answer.has_value()) return Lost(kOutOfStep);
  const bool transaction_open = PQtransactionStatus(connection_) != PQTRANS_IDLE;
  if (!Tell(sent_.script->End(), *answer)) return false;
  if (transaction_open)
    return GiveUp("the query left a transaction open", ConnectionFault::End::kGivenUp);
  return SuitsStill();
}

bool PgReceiver::SuitsStill() {
  return SuitsTarget(connection_, wanted_session_) ||
         Lost("the server is no longer what target_session_attrs asks for");
}

bool PgReceiver::DeliverSync(PgResultHandle result) {
  if (PQresultStatus(result.get()) != PGRES_PIPELINE_SYNC) {
    const StatementResult error = ErrorOf(result.get());
    if (error.sqlstate.empty() || error.fatal || sync_error_ != nullptr) {
      return Lost(error.message.empty() ? kOutOfStep : FirstLine(error.message));
    }
    sync_error_ = std::move(result);  // the end of the Sync comes behind it
    return true;
  }
  const PgResultHandle error = std::move(sync_error_);
  // What was told already was undone, unlike what such a batch answers from now on.
  commits_may_fail_ = commits_may_fail_ || (error != nullptr && held_.size() == 0);
  const auto fate = error == nullptr ? HeldResults::Fate::kStands : HeldResults::Fate::kUndone;
  if (!EndHeld(fate, error.get())) return false;
  sent_.ledger->PopSync();
  if (!SuitsStill()) return false;
  if (upstream_->AllAnswered()) observer_->OnAllAnswered(upstream_);
  return open();
}

bool PgReceiver::DeliverCheck(PgResultHandle result) {
  const ResultRows rows(result.get());
  const auto answer = AnswerOf(result.get(), rows);
  sent_.ledger->PopCheck();
  const bool was_pooled = sent_.check->pooled();
  // An error without SQLSTATE is libpq's.
  const bool is_error = answer.has_value() && answer->kind == StatementResult::Kind::kError;
  if (!answer.has_value() || (is_error && (answer->fatal || answer->sqlstate.empty())) ||
      !sent_.check->OnAnswer(*answer)) {
    return Lost(is_error ? FirstLine(answer->message) : kOutOfStep);
  }
  commits_may_fail_ = commits_may_fail_ || sent_.check->serializable();
  if (was_pooled && !sent_.check->pooled()) observer_->OnNoPooler(upstream_);
  if (!open() || !sent_.check->outdated()) return open();
  observer_->OnOutdated(upstream_);
  if (open() && sent_.script->waits())
    return GiveUp(kSettingsChanged, ConnectionFault::End::kOutdated);  // it did not run
  return open();
}

bool PgReceiver::DeliverJitOff(PgResultHandle result) {
  const ResultRows rows(result.get());
  const auto answer = AnswerOf(result.get(), rows);
  sent_.ledger->PopJitOff();
  if (answer.has_value() && answer->kind == StatementResult::Kind::kRows) return true;
  // Aborted: the check in front of it failed.
  if (answer.has_value() && answer->kind == StatementResult::Kind::kAborted) return true;
  if (answer.has_value() && !answer->fatal && !answer->sqlstate.empty()) {
    may_turn_jit_off_ = false;
    return true;
  }
  return Lost(answer.has_value() ? FirstLine(answer->message) : kOutOfStep);
}

bool PgReceiver::DeliverAnswer(PgResultHandle result) {
  const ResultRows rows(result.get());
  const auto answer = AnswerOf(result.get(), rows);
  if (!answer.has_value()) {
    const ExecStatusType status = PQresultStatus(result.get());
    if (IsCopy(status)) return Refuse("0A000", kCopyRefused);
    return Lost(std::string("unexpected reply from the server: ") + PQresStatus(status));
  }
  // What PREPARE made stays, whatever becomes of its batch; it has no tag.
  const bool lasts = held_.size() == 0 && answer->tag.empty();
  if (answer->kind == StatementResult::Kind::kRows && !lasts &&
      (commits_may_fail_ || sent_.ledger->Holds(held_.size()))) {
    held_.Add(std::move(result));
    return true;
  }
  // An error undoes what stands before it.
  if (!EndHeld(HeldResults::Fate::kUndone, nullptr)) return false;
  return Tell(sent_.ledger->PopStatement(), *answer);
}

bool PgReceiver::EndHeld(HeldResults::Fate fate, const PGresult* error) {
  HeldResults held = std::exchange(held_, {});
  while (const auto answer = held.Next(fate, error)) {
    if (!Tell(sent_.ledger->PopStatement(), *answer)) return false;
  }
  return true;
}

bool PgReceiver::Refuse(const char* sqlstate, const std::string& message) {
  if (!EndHeld(HeldResults::Fate::kUndone, nullptr)) return false;
  Work* work = sent_.script->End();
  if (work == nullptr && sent_.ledger->Next() == PipelineLedger::Expected::kStatement) {
    work = sent_.ledger->PopStatement();
  }
  if (work != nullptr) {
    StatementResult refusal;
    refusal.kind = StatementResult::Kind::kError;
    refusal.sqlstate = sqlstate;
    refusal.message = message;
    if (!Tell(work, refusal)) return false;
  }
  return GiveUp(message, ConnectionFault::End::kGivenUp);
}

}  // namespace proxymux::pgsql
