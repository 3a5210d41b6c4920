#include "pgsql/pg_connection.h"

#include <cassert>
#include <cstring>
#include <type_traits>
#include <utility>

#include "pgsql/pg_cancel.h"
#include "pgsql/pg_input.h"
#include "pgsql/pg_result.h"
#include "pgsql/pg_server_parameters.h"

namespace proxymux::pgsql {
namespace {

// A server that ends an idle connection says why in a message that libpq takes for a notice.
void KeepFatalNotice(void* last_words, const char* message) {
  if (std::strncmp(message, "FATAL:", 6) == 0) {
    *static_cast<std::string*>(last_words) = FirstLine(message);
  }
}

constexpr int kTextResult = 0;  // the format of values

constexpr char kOutOfStep[] = "the server and the client are out of step";
constexpr char kSettingsChanged[] = "the settings of the role or the database were changed";
constexpr char kCopyRefused[] = "the query is a COPY, which a lookup cannot use";

// Of a result: what libpq's buffer, which holds at least its largest row, may keep for the life of
// a connection.
constexpr std::size_t kMuchBuffer = 4 << 20;

}  // namespace

PgConnection::PgConnection(const ConnectPlan& plan, PgConnectionLimits limits, EventLoop* loop,
                           UpstreamObserver* observer)
    : plan_(plan), limits_(limits), loop_(loop), observer_(observer), check_(limits.pooler) {}

PgConnection::~PgConnection() { Disconnect(); }

void PgConnection::SetState(State state) { state_ = state; }

void PgConnection::Connect() {
  assert(state_ == State::kIdle);
  SetState(State::kConnecting);
  connector_ = std::make_unique<PgConnector>(
      plan_, limits_.connect_timeout, loop_,
      [this](PgConnectionHandle connection, const ConnectFailure& failure) {
        connector_.reset();
        if (connection == nullptr) {
          SetState(State::kClosed);
          observer_->OnConnectFailed(this, failure);
        } else {
          FinishConnect(std::move(connection));
        }
      });
}

void PgConnection::FinishConnect(PgConnectionHandle handle) {
  connection_ = std::move(handle);
  PGconn* connection = connection_.get();
  PQsetNoticeProcessor(connection, KeepFatalNotice, &last_words_);
  if (PQsetnonblocking(connection, 1) != 0 || PQenterPipelineMode(connection) != 1) {
    const ConnectFailure failure{"", FirstLine(PQerrorMessage(connection))};
    Disconnect();
    SetState(State::kClosed);
    observer_->OnConnectFailed(this, failure);
    return;
  }
  for (const auto& [name, value] : plan_.parameters) {
    if (name == "target_session_attrs") wanted_session_ = value;
  }
  escaper_.emplace(connection);
  check_.OnConnected(PQbackendPID(connection));
  SetState(State::kReady);
  want_write_ = false;
  watch_ = loop_->WatchSocket(PQsocket(connection), [this](bool readable, bool writable) {
    OnSocketReady(readable, writable);
  });
  watch_->SetInterest(true, false);
  read_again_ = loop_->NewTimer([this] { ReadResults(); });
  observer_->OnReady(this);
}

bool PgConnection::SendStatement(Work* work, const std::string& sql,
                                 std::span<const std::uint32_t> types,
                                 std::span<const char* const> values) {
  static_assert(std::is_same_v<Oid, std::uint32_t>);
  assert(state_ == State::kReady && script_.idle());
  return BeginBatch() &&
         Sent(work,
              PQsendQueryParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()),
                                types.empty() ? nullptr : types.data(), values.data(), nullptr,
                                nullptr, kTextResult));
}

bool PgConnection::SendPrepare(Work* work, const std::string& name, const std::string& sql,
                               std::span<const std::uint32_t> types) {
  assert(state_ == State::kReady && script_.idle());
  return BeginBatch() && Sent(work, PQsendPrepare(connection_.get(), name.c_str(), sql.c_str(),
                                                  static_cast<int>(types.size()), types.data()));
}

bool PgConnection::SendPrepared(Work* work, const std::string& name,
                                std::span<const char* const> values) {
  assert(state_ == State::kReady && script_.idle());
  return BeginBatch() &&
         Sent(work,
              PQsendQueryPrepared(connection_.get(), name.c_str(), static_cast<int>(values.size()),
                                  values.data(), nullptr, nullptr, kTextResult));
}

// In front of everything else, so that nothing in its batch keeps the check from being answered.
bool PgConnection::BeginBatch() {
  if (ledger_.batch_open() || !check_.Due(loop_->Now())) return true;
  if (PQsendQueryParams(connection_.get(), check_.sql(), 0, {}, {}, {}, {}, kTextResult) != 1) {
    return false;
  }
  check_.OnSent(loop_->Now());
  ledger_.PushCheck();
  return true;
}

bool PgConnection::Sent(Work* work, int outcome) {
  if (outcome != 1) return false;
  ledger_.PushStatement(work);
  return true;
}

bool PgConnection::SendScript(Work* work, const std::string& sql) {
  assert(state_ == State::kReady && script_.idle() && ledger_.statements() == 0);
  script_.Wait(work, sql);
  // It waits for the end of the pipeline, and so for a check of its own.
  if (!BeginBatch() || !EndBatch(/*commits=*/false)) return false;
  return ledger_.Next() != PipelineLedger::Expected::kNothing || StartScript();
}

bool PgConnection::StartScript() { return script_.Start(connection_.get()) && Flush(); }

bool PgConnection::EndBatch(bool commits) {
  assert(state_ == State::kReady);
  if (!ledger_.PushSync(commits)) return true;
  if (PQpipelineSync(connection_.get()) != 1) return false;
  return Flush();
}

bool PgConnection::Flush() {
  const int left = PQflush(connection_.get());
  // libpq discards what it cannot send without an error; only the connection's state tells.
  if (left < 0 || PQstatus(connection_.get()) == CONNECTION_BAD) return false;
  if (want_write_ != (left == 1)) {
    want_write_ = left == 1;
    watch_->SetInterest(true, want_write_);
  }
  return true;
}

Work* PgConnection::Running() const {
  if (!script_.idle()) return script_.work();
  // A Sync in front of it was sent before it and is answered at once.
  return ledger_.OldestStatement();
}

bool PgConnection::AllAnswered() const {
  return script_.idle() && ledger_.Next() == PipelineLedger::Expected::kNothing;
}

void PgConnection::CancelRunning() {
  if (state_ == State::kReady) CancelInBackground(connection_.get());
}

std::vector<Work*> PgConnection::Close() {
  std::vector<Work*> unanswered = ledger_.TakeUnanswered();
  if (Work* script = script_.End()) unanswered.push_back(script);
  Disconnect();
  SetState(State::kClosed);
  return unanswered;
}

void PgConnection::Disconnect() {
  connector_.reset();
  read_again_.reset();
  watch_.reset();  // before libpq closes the socket
  held_ = {};
  sync_error_.reset();
  connection_.reset();
}

void PgConnection::ReportLost(const std::string& reason) {
  watch_->SetInterest(false, false);
  read_again_->Stop();
  // What a server says before it closes explains more than what its closing led to here.
  observer_->OnLost(this, last_words_.empty() ? reason : last_words_);
}

// The statement itself makes the connection useless: it is answered, so that it does not take the
// next connection along as well.
void PgConnection::RefuseRunning(const char* sqlstate, const std::string& message) {
  if (!EndHeld(HeldResults::Fate::kUndone, nullptr)) return;
  Work* work = script_.End();
  if (work == nullptr && ledger_.Next() == PipelineLedger::Expected::kStatement) {
    work = ledger_.PopStatement();
  }
  if (work != nullptr) {
    StatementResult refusal;
    refusal.kind = StatementResult::Kind::kError;
    refusal.sqlstate = sqlstate;
    refusal.message = message;
    observer_->OnResult(this, work, refusal);
  }
  if (state_ == State::kReady) ReportLost(message);
}

void PgConnection::OnSocketReady(bool readable, bool writable) {
  // A failed write is not the last word: what the server said before it closed is read first, and
  // reading shows the loss.
  if (readable || !writable || !Flush()) ReadResults();
}

void PgConnection::ReadResults() {
  PGconn* connection = connection_.get();
  received_.BeginRead(connection);
  const InputRest rest = PgInput(connection).ReadAll();
  // Not at once: one server does not hold up the others.
  if (rest == InputRest::kPerhaps) read_again_->Start(Duration::zero());
  received_.EndRead(connection);
  while (PQisBusy(connection) == 0) {
    if (script_.waits() && ledger_.Next() == PipelineLedger::Expected::kNothing) {
      if (!StartScript()) {
        ReportLost(FirstLine(PQerrorMessage(connection)));
        return;
      }
      continue;
    }
    if (AllAnswered()) {
      received_.OnResult();
      break;
    }
    PgResultHandle result(PQgetResult(connection));
    received_.OnResult();
    if (!DeliverResult(std::move(result))) return;
  }
  if (rest == InputRest::kBroken || PQstatus(connection) == CONNECTION_BAD) {
    ReportLost(FirstLine(PQerrorMessage(connection)));
    return;
  }
  if (received_.count() > limits_.max_result_bytes) {
    RefuseRunning("54000", "the result is larger than " + std::to_string(limits_.max_result_bytes) +
                               " bytes");
    return;
  }
  // Reading may have made room for what the kernel did not take before.
  if (!Flush()) ReportLost(FirstLine(PQerrorMessage(connection)));
}

// False, here and below: the connection was lost, or the observer closed it.
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
