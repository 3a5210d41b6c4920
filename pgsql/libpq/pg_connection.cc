#include "pgsql/libpq/pg_connection.h"

#include <cassert>
#include <type_traits>
#include <utility>

#include "pgsql/libpq/pg_input.h"
#include "pgsql/libpq/pg_result.h"
#include "pgsql/libpq/pg_server_parameters.h"

namespace proxymux::pgsql {
namespace {

// A server that ends an idle connection says why in a message that libpq takes for a notice.
void KeepFatalNotice(void* last_words, const PGresult* notice) {
  const StatementResult error = ErrorOf(notice);
  if (!error.fatal) return;
  *static_cast<ConnectionFault*>(last_words) = {std::string(error.sqlstate),
                                                FirstLine(PQresultErrorMessage(notice))};
}

constexpr int kTextResult = 0;  // the format of values

// Until the end of the transaction, which is the batch.
constexpr char kJitOff[] = "SELECT pg_catalog.set_config('jit', 'off', true)";

// target_session_attrs; empty: any.
std::string WantedSession(const ConnectPlan& plan) {
  std::string wanted;
  for (const auto& [name, value] : plan.parameters) {
    if (name == "target_session_attrs") wanted = value;
  }
  return wanted;
}

}  // namespace

PgConnection::PgConnection(const ConnectPlan& plan, PgConnectionLimits limits, PgCommon* common,
                           EventLoop* loop, UpstreamObserver* observer)
    : plan_(plan),
      limits_(limits),
      common_(common),
      loop_(loop),
      observer_(observer),
      check_(limits.pooler),
      receiver_(this, observer, {&ledger_, &check_, &script_}) {}

PgConnection::~PgConnection() { Disconnect(); }

void PgConnection::SetState(State state) { state_ = state; }

void PgConnection::Connect() {
  assert(state_ == State::kIdle);
  SetState(State::kConnecting);
  connector_ = std::make_unique<PgConnector>(
      plan_, limits_.connect_timeout, &common_->silent, loop_,
      [this](PgConnectionHandle connection, const ConnectionFault& failure) {
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
  PQsetNoticeReceiver(connection, KeepFatalNotice, &last_words_);
  if (PQsetnonblocking(connection, 1) != 0 || PQenterPipelineMode(connection) != 1) {
    const ConnectionFault failure{"", FirstLine(PQerrorMessage(connection))};
    Disconnect();
    SetState(State::kClosed);
    observer_->OnConnectFailed(this, failure);
    return;
  }
  receiver_.Open(connection, WantedSession(plan_));
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

bool PgConnection::SendQuestion(Work* work, const std::string& sql,
                                std::span<const char* const> values) {
  assert(!ledger_.batch_open());
  if (!BeginBatch()) return false;
  if (receiver_.may_turn_jit_off()) {
    if (PQsendQueryParams(connection_.get(), kJitOff, 0, {}, {}, {}, {}, kTextResult) != 1) {
      return false;
    }
    ledger_.PushJitOff();
  }
  return SendStatement(work, sql, {}, values);
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
  if (BeginBatch() && EndBatch(/*commits=*/false) &&
      (ledger_.Next() != PipelineLedger::Expected::kNothing || StartScript())) {
    return true;
  }
  script_.End();  // not taken
  return false;
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

bool PgConnection::AllAnswered() const {
  return script_.idle() && ledger_.Next() == PipelineLedger::Expected::kNothing;
}

std::string PgConnection::ServerVersion() const { return pgsql::ServerVersion(connection_.get()); }

void PgConnection::CancelRunning() {
  if (state_ == State::kReady) common_->cancels.Send(connection_.get());
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
  receiver_.Close();
  connection_.reset();
}

void PgConnection::ReportLost(const std::string& reason) {
  watch_->SetInterest(false, false);
  read_again_->Stop();
  // What a server says before it closes explains more than what its closing led to here.
  observer_->OnLost(
      this, last_words_.text.empty() ? ConnectionFault{"", reason, receiver_.end()} : last_words_);
}

// The receiver reads no more: it says why, or the observer has closed the connection.
void PgConnection::Stop() {
  if (state_ == State::kReady) ReportLost(receiver_.lost_because());
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
    if (!receiver_.Deliver(std::move(result))) return Stop();
  }
  if (rest == InputRest::kBroken || PQstatus(connection) == CONNECTION_BAD) {
    ReportLost(FirstLine(PQerrorMessage(connection)));
    return;
  }
  if (received_.count() > limits_.max_result_bytes) {
    receiver_.Refuse("54000", "the result is larger than " +
                                  std::to_string(limits_.max_result_bytes) + " bytes");
    return Stop();
  }
  // Reading may have made room for what the kernel did not take before.
  if (!Flush()) ReportLost(FirstLine(PQerrorMessage(connection)));
}

}  // namespace proxymux::pgsql
