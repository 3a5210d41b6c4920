#include "pgsql/pg_connection.h"

#include <arpa/inet.h>
#include <sys/ioctl.h>

#include <cassert>
#include <cstring>

namespace proxymux::pgsql {
namespace {

// A PGresult as the rows that result_format reads.
class ResultRows final : public RowSource {
 public:
  explicit ResultRows(const PGresult* result) : result_(result) {}
  std::size_t rows() const override { return static_cast<std::size_t>(PQntuples(result_)); }
  std::size_t columns() const override { return static_cast<std::size_t>(PQnfields(result_)); }
  bool IsNull(std::size_t row, std::size_t column) const override {
    return PQgetisnull(result_, static_cast<int>(row), static_cast<int>(column)) != 0;
  }
  std::string_view Value(std::size_t row, std::size_t column) const override {
    const int r = static_cast<int>(row);
    const int c = static_cast<int>(column);
    return {PQgetvalue(result_, r, c), static_cast<std::size_t>(PQgetlength(result_, r, c))};
  }

 private:
  const PGresult* result_;
};

std::string_view Field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text != nullptr ? text : "";
}

StatementResult ErrorOf(const PGresult* result) {
  StatementResult error;
  error.kind = StatementResult::Kind::kError;
  error.sqlstate = Field(result, PG_DIAG_SQLSTATE);
  error.message = Field(result, PG_DIAG_MESSAGE_PRIMARY);
  const std::string_view severity = Field(result, PG_DIAG_SEVERITY_NONLOCALIZED);
  error.fatal = severity == "FATAL" || severity == "PANIC";
  if (error.message.empty()) error.message = PQresultErrorMessage(result);
  return error;
}

bool IsNumericAddress(const std::string& host) {
  unsigned char address[sizeof(in6_addr)];
  // A scope ("fe80::1%eth0") is the resolver's business: getaddrinfo takes it without asking a server.
  return inet_pton(AF_INET, host.c_str(), address) == 1 ||
         inet_pton(AF_INET6, host.c_str(), address) == 1;
}

// The first line of libpq's message, with the SQLSTATE that PQERRORS_VERBOSE puts behind the severity ("FATAL:  28P01: ...")
// taken out.
ConnectFailure ParseFailure(std::string_view message) {
  ConnectFailure failure;
  // With several attempts in it (sslmode=prefer) the last one counts for the state, all for the reader.
  for (std::size_t at = message.find(":  "); at != std::string_view::npos;
       at = message.find(":  ", at + 3)) {
    const std::string_view rest = message.substr(at + 3);
    if (rest.size() < 7 || rest.substr(5, 2) != ": ") continue;
    const std::string_view code = rest.substr(0, 5);
    const bool is_code = code.find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
                         std::string_view::npos;
    if (is_code) failure.sqlstate = code;
  }
  std::size_t begin = 0;
  while (begin < message.size()) {
    std::size_t end = message.find('\n', begin);
    if (end == std::string_view::npos) end = message.size();
    const std::string_view line = message.substr(begin, end - begin);
    begin = end + 1;
    if (line.empty() || line.starts_with("LOCATION:")) continue;
    if (!failure.text.empty()) failure.text += "; ";
    failure.text += line.substr(line.find_first_not_of(" \t") == std::string_view::npos
                                    ? 0
                                    : line.find_first_not_of(" \t"));
  }
  if (!failure.sqlstate.empty()) {
    const std::string shown = "  " + failure.sqlstate + ": ";
    for (std::size_t at = failure.text.find(shown); at != std::string::npos;
         at = failure.text.find(shown)) {
      failure.text.replace(at, shown.size(), " ");
    }
  }
  return failure;
}

// Client encodings in which the second byte of a character may look like ASCII.
bool HasAsciiTrailBytes(PGconn* connection) {
  const char* const encoding = PQparameterStatus(connection, "client_encoding");
  if (encoding == nullptr) return false;
  for (const char* name : {"SJIS", "SHIFT_JIS_2004", "BIG5", "GBK", "UHC", "GB18030", "JOHAB"}) {
    if (std::strcmp(encoding, name) == 0) return true;
  }
  return false;
}

bool IsCopy(ExecStatusType status) {
  return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

std::string FirstLine(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

// A server that ends an idle connection says why in a message that libpq takes for a notice.
void KeepFatalNotice(void* last_words, const char* message) {
  if (std::strncmp(message, "FATAL:", 6) == 0) {
    *static_cast<std::string*>(last_words) = FirstLine(message);
  }
}

constexpr char kOutOfStep[] = "the server and the client are out of step";
constexpr char kCopyRefused[] = "the query is a COPY, which a lookup cannot use";

// Reads that bring no complete result before the bytes are counted: small results never pay for it.
constexpr int kReadsBeforeCounting = 16;

}  // namespace

PgConnection::PgConnection(const ConnectPlan& plan, PgConnectionLimits limits, EventLoop* loop,
                           UpstreamObserver* observer)
    : plan_(plan), limits_(limits), loop_(loop), observer_(observer) {}

PgConnection::~PgConnection() { Disconnect(); }

void PgConnection::SetState(State state) { state_ = state; }

void PgConnection::Connect() {
  assert(state_ == State::kIdle);
  // From the loop, so that a failure is never reported from inside the call.
  timer_ = loop_->NewTimer([this] { NextEndpoint(); });
  timer_->Start(Duration::zero());
}

void PgConnection::NextEndpoint() {
  if (next_endpoint_ == plan_.endpoints.size()) {
    Disconnect();
    SetState(State::kClosed);
    observer_->OnConnectFailed(this, last_failure_);
    return;
  }
  const Endpoint& endpoint = plan_.endpoints[next_endpoint_++];
  if (!endpoint.NeedsResolving()) {
    attempts_.push_back({endpoint, endpoint.hostaddr});
    NextAttempt();
    return;
  }
  if (IsNumericAddress(endpoint.host)) {
    attempts_.push_back({endpoint, endpoint.host});
    NextAttempt();
    return;
  }
  SetState(State::kResolving);
  timer_ = loop_->NewTimer([this, endpoint] {
    resolve_.reset();
    last_failure_ = {"", "could not translate host name \"" + endpoint.host +
                             "\" to an address: the name server did not answer in time"};
    NextEndpoint();
  });
  timer_->Start(limits_.connect_timeout);
  resolve_ = loop_->Resolve(endpoint.host, [this, endpoint](ResolveResult result) {
    timer_->Stop();
    for (std::string& address : result.addresses) {
      attempts_.push_back({endpoint, std::move(address)});
    }
    if (result.addresses.empty()) {
      last_failure_ = {"", "could not translate host name \"" + endpoint.host +
                               "\" to an address: " + result.error};
    }
    NextAttempt();
  });
}

void PgConnection::NextAttempt() {
  if (attempts_.empty()) {
    NextEndpoint();
    return;
  }
  const Attempt attempt = std::move(attempts_.front());
  attempts_.pop_front();
  StartAttempt(attempt);
}

void PgConnection::StartAttempt(const Attempt& attempt) {
  std::vector<const char*> names;
  std::vector<const char*> values;
  const auto add = [&](const char* name, const std::string& value) {
    if (value.empty()) return;
    names.push_back(name);
    values.push_back(value.c_str());
  };
  for (const auto& [name, value] : plan_.parameters) add(name.c_str(), value);
  add("host", attempt.endpoint.host);
  add("hostaddr", attempt.address);
  add("port", attempt.endpoint.port);
  names.push_back(nullptr);
  values.push_back(nullptr);

  SetState(State::kConnecting);
  connection_.reset(PQconnectStartParams(names.data(), values.data(), /*expand_dbname=*/0));
  if (connection_ == nullptr) {
    AttemptFailed({"", "out of memory"});
    return;
  }
  PQsetErrorVerbosity(connection_.get(), PQERRORS_VERBOSE);  // for the SQLSTATE of a refusal
  PQsetNoticeProcessor(connection_.get(), KeepFatalNotice, &last_words_);
  if (PQstatus(connection_.get()) == CONNECTION_BAD) {
    AttemptFailed(FailureOf(connection_.get()));
    return;
  }
  const std::string where = attempt.address.empty() ? plan_.label : attempt.address;
  timer_ = loop_->NewTimer([this, where] {
    AttemptFailed({"", "connection to \"" + where + "\" timed out"});
  });
  timer_->Start(limits_.connect_timeout);
  WatchForConnect(PGRES_POLLING_WRITING);
}

void PgConnection::WatchForConnect(PostgresPollingStatusType wants) {
  watch_ = loop_->WatchSocket(PQsocket(connection_.get()), [this](bool, bool) { PollConnect(); });
  watch_->SetInterest(wants == PGRES_POLLING_READING, wants == PGRES_POLLING_WRITING);
}

void PgConnection::PollConnect() {
  // libpq may close this socket and open another one (sslmode=prefer): the watch has to go first.
  watch_.reset();
  const PostgresPollingStatusType wants = PQconnectPoll(connection_.get());
  switch (wants) {
    case PGRES_POLLING_READING:
    case PGRES_POLLING_WRITING:
      WatchForConnect(wants);
      return;
    case PGRES_POLLING_OK:
      FinishConnect();
      return;
    case PGRES_POLLING_FAILED:
    case PGRES_POLLING_ACTIVE:
      AttemptFailed(FailureOf(connection_.get()));
      return;
  }
}

ConnectFailure PgConnection::FailureOf(PGconn* connection) const {
  return ParseFailure(PQerrorMessage(connection));
}

void PgConnection::AttemptFailed(ConnectFailure failure) {
  last_failure_ = std::move(failure);
  Disconnect();
  NextAttempt();
}

void PgConnection::FinishConnect() {
  timer_.reset();
  PGconn* connection = connection_.get();
  PQsetErrorVerbosity(connection, PQERRORS_DEFAULT);
  if (PQsetnonblocking(connection, 1) != 0 || PQenterPipelineMode(connection) != 1) {
    AttemptFailed(FailureOf(connection));
    return;
  }
  const char* strings = PQparameterStatus(connection, "standard_conforming_strings");
  standard_strings_ = strings == nullptr || std::strcmp(strings, "on") == 0;
  trail_bytes_ = HasAsciiTrailBytes(connection);
  attempts_.clear();
  SetState(State::kReady);
  want_write_ = false;
  watch_ = loop_->WatchSocket(
      PQsocket(connection), [this](bool readable, bool writable) { OnSocketReady(readable, writable); });
  watch_->SetInterest(true, false);
  observer_->OnReady(this);
}

bool PgConnection::Escape(std::string_view in, std::string* out) {
  const std::size_t before = out->size();
  out->resize(before + 2 * in.size() + 1);
  int error = 0;
  const std::size_t length =
      PQescapeStringConn(connection_.get(), out->data() + before, in.data(), in.size(), &error);
  out->resize(error != 0 ? before : before + length);
  return error == 0;
}

bool PgConnection::SendStatement(Work* work, const std::string& sql,
                                 std::span<const std::string> parameters) {
  assert(state_ == State::kReady && script_ == nullptr);
  std::vector<const char*> values;
  values.reserve(parameters.size());
  for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
  if (PQsendQueryParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                        values.data(), nullptr, nullptr, /*resultFormat=*/0) != 1) {
    return false;
  }
  ledger_.PushStatement(work);
  return true;
}

bool PgConnection::SendScript(Work* work, const std::string& sql) {
  assert(state_ == State::kReady && script_ == nullptr && ledger_.statements() == 0);
  if (PQexitPipelineMode(connection_.get()) != 1) return false;
  if (PQsendQuery(connection_.get(), sql.c_str()) != 1) return false;
  script_ = work;
  return Flush();
}

bool PgConnection::Sync() {
  assert(state_ == State::kReady);
  if (!ledger_.PushSync()) return true;
  if (PQpipelineSync(connection_.get()) != 1) return false;
  return Flush();
}

bool PgConnection::Flush() {
  const int left = PQflush(connection_.get());
  if (left < 0) return false;
  if (want_write_ != (left == 1)) {
    want_write_ = left == 1;
    watch_->SetInterest(true, want_write_);
  }
  return true;
}

Work* PgConnection::Running() const {
  if (script_ != nullptr) return script_;
  // A Sync in front of it was sent before it and is answered at once.
  return ledger_.OldestStatement();
}

void PgConnection::CancelRunning() {
  if (state_ != State::kReady || cancel_ != nullptr) return;
  std::shared_ptr<PGcancel> cancel(PQgetCancel(connection_.get()), PQfreeCancel);
  if (cancel == nullptr) return;
  cancel_ = loop_->RunBlocking(
      [cancel] {
        char error[256];
        PQcancel(cancel.get(), error, sizeof(error));  // a failure shows as a statement that goes on
      },
      [this] { cancel_.reset(); });
}

std::vector<Work*> PgConnection::Close() {
  std::vector<Work*> unanswered = ledger_.TakeUnanswered();
  if (script_ != nullptr) unanswered.push_back(script_);
  script_ = nullptr;
  Disconnect();
  SetState(State::kClosed);
  return unanswered;
}

void PgConnection::Disconnect() {
  timer_.reset();
  resolve_.reset();
  cancel_.reset();
  watch_.reset();  // before libpq closes the socket
  script_result_.reset();
  connection_.reset();
}

void PgConnection::ReportLost(const std::string& reason) {
  watch_->SetInterest(false, false);
  observer_->OnLost(this, reason);
}

void PgConnection::OnSocketReady(bool readable, bool writable) {
  // A failed write is not the last word: what the server said before it closed is read first, and reading shows the loss.
  if (readable || !writable || !Flush()) ReadResults();
}

void PgConnection::ReadResults() {
  PGconn* connection = connection_.get();
  if (++reads_without_result_ > kReadsBeforeCounting) {
    int available = 0;
    if (ioctl(PQsocket(connection), FIONREAD, &available) == 0) {
      partial_bytes_ += static_cast<std::size_t>(available);
    }
  }
  const bool consumed = PQconsumeInput(connection) == 1;
  while (PQisBusy(connection) == 0) {
    if (script_ == nullptr && ledger_.Next() == PipelineLedger::Expected::kNothing) {
      reads_without_result_ = 0;
      partial_bytes_ = 0;
      break;
    }
    PgResultHandle result(PQgetResult(connection));
    reads_without_result_ = 0;
    partial_bytes_ = 0;
    if (!DeliverResult(std::move(result))) return;
  }
  if (!consumed || PQstatus(connection) == CONNECTION_BAD) {
    ReportLost(last_words_.empty() ? FirstLine(PQerrorMessage(connection)) : last_words_);
    return;
  }
  if (partial_bytes_ > limits_.max_result_bytes) {
    ReportLost("a statement's result is larger than " + std::to_string(limits_.max_result_bytes) +
               " bytes");
    return;
  }
  // Reading may have made room for what the kernel did not take before.
  if (!Flush()) ReportLost(FirstLine(PQerrorMessage(connection)));
}

// False when the connection is no longer to be read: it was lost, or the observer closed it.
bool PgConnection::DeliverResult(PgResultHandle result) {
  if (script_ != nullptr) {
    if (result == nullptr) {
      Work* work = script_;
      script_ = nullptr;
      const PgResultHandle last = std::move(script_result_);
      if (PQenterPipelineMode(connection_.get()) != 1 || last == nullptr) {
        script_ = work;
        ReportLost(kOutOfStep);
        return false;
      }
      const ResultRows rows(last.get());
      StatementResult answer;
      if (PQresultStatus(last.get()) == PGRES_FATAL_ERROR) {
        answer = ErrorOf(last.get());
      } else {
        answer.rows = &rows;
      }
      observer_->OnResult(this, work, answer);
      return state_ == State::kReady;
    }
    if (IsCopy(PQresultStatus(result.get()))) {
      ReportLost(kCopyRefused);  // libpq would repeat this result for ever
      return false;
    }
    script_result_ = std::move(result);
    return true;
  }

  switch (ledger_.Next()) {
    case PipelineLedger::Expected::kNothing:
      return true;
    case PipelineLedger::Expected::kSync:
      if (result == nullptr) return true;  // the separator behind the last statement
      if (PQresultStatus(result.get()) != PGRES_PIPELINE_SYNC) {
        ReportLost(kOutOfStep);
        return false;
      }
      ledger_.PopSync();
      return true;
    case PipelineLedger::Expected::kStatement:
      break;
  }

  if (result == nullptr) {
    // The separator behind the statement before. libpq gives one at a time; more mean that it knows of no further statement.
    if (++separators_ <= 2) return true;
    ReportLost(kOutOfStep);
    return false;
  }
  separators_ = 0;
  StatementResult answer;
  const ResultRows rows(result.get());
  switch (PQresultStatus(result.get())) {
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
      answer.rows = &rows;
      break;
    case PGRES_FATAL_ERROR:
      answer = ErrorOf(result.get());
      break;
    case PGRES_PIPELINE_ABORTED:
      answer.kind = StatementResult::Kind::kAborted;
      break;
    default:
      ReportLost(std::string("unexpected reply from the server: ") +
                 PQresStatus(PQresultStatus(result.get())));
      return false;
  }
  Work* work = ledger_.PopStatement();
  observer_->OnResult(this, work, answer);
  return state_ == State::kReady;
}

}  // namespace proxymux::pgsql
