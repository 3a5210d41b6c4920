#include "pgsql/libpq/pg_connector.h"

#include <arpa/inet.h>

#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

namespace proxymux::pgsql {
namespace {

// A host of which nothing is heard for that long is dialled again, and again.
constexpr Duration kRedial = std::chrono::milliseconds(750);

// An attempt that was given up after that has found an address that does not answer.
constexpr Duration kSlow = std::chrono::milliseconds(250);

// Instead of a message that may name a part of a password as a host or a database.
constexpr char kUnshown[] =
    "no connection (the reason is not shown, since it may name a part of a password: write %40 for "
    "an '@' in it, %2F for a '/', %23 for a '#')";

bool IsNumericAddress(const std::string& host) {
  unsigned char address[sizeof(in6_addr)];
  // A scope ("fe80::1%eth0") is the resolver's business: getaddrinfo takes it without asking a
  // server.
  return inet_pton(AF_INET, host.c_str(), address) == 1 ||
         inet_pton(AF_INET6, host.c_str(), address) == 1;
}

// The first line of libpq's message, with the SQLSTATE that PQERRORS_VERBOSE puts behind the
// severity ("FATAL:  28P01: ...") taken out.
ConnectionFault ParseFailure(std::string_view message) {
  ConnectionFault failure;
  // With several attempts in it (sslmode=prefer) the last one counts for the state, all for the
  // reader.
  for (std::size_t at = message.find(":  "); at != std::string_view::npos;
       at = message.find(":  ", at + 3)) {
    const std::string_view rest = message.substr(at + 3);
    if (rest.size() < 7 || rest.substr(5, 2) != ": ") continue;
    const std::string_view code = rest.substr(0, 5);
    const bool is_code =
        code.find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string_view::npos;
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

ConnectionFault FailureOf(const PGconn* connection) {
  ConnectionFault failure = ParseFailure(PQerrorMessage(connection));
  // The server has asked for a password that there is not; it does not say so itself.
  if (failure.sqlstate.empty() && PQconnectionNeedsPassword(connection) != 0) {
    failure.sqlstate = "28P01";
  }
  return failure;
}

// A server, not only its kernel or a load balancer.
bool HasAnswered(const PGconn* connection) {
  switch (PQstatus(connection)) {
    case CONNECTION_STARTED:
    case CONNECTION_MADE:
    case CONNECTION_AWAITING_RESPONSE:
    case CONNECTION_SSL_STARTUP:
    case CONNECTION_NEEDED:
    case CONNECTION_GSS_STARTUP:
      return false;
    default:
      return true;
  }
}

void DropNotice(void*, const char*) {}

}  // namespace

PgConnector::PgConnector(const ConnectPlan& plan, Duration attempt_timeout, SilentAddresses* silent,
                         EventLoop* loop, Done done)
    : plan_(plan),
      attempt_timeout_(attempt_timeout),
      silent_(silent),
      loop_(loop),
      done_(std::move(done)),
      timer_(loop->NewTimer([this] { NextEndpoint(); })) {
  timer_->Start(
      Duration::zero());  // from the loop, so that nothing is reported from inside the constructor
}

PgConnector::~PgConnector() {
  const bool silent = call_.connection != nullptr && !HasAnswered(call_.connection.get());
  if (silent && loop_->Now() - begun_ >= kSlow) silent_->Add(KeyOf(attempt_), loop_->Now());
  Disconnect();
}

std::string PgConnector::KeyOf(const Attempt& attempt) {
  const std::string& where = attempt.address.empty() ? attempt.endpoint.host : attempt.address;
  return where + ' ' + attempt.endpoint.port;
}

bool PgConnector::WantsStandby() const {
  return plan_.prefers_standby && plan_.endpoints.size() > 1 && !any_will_do_;
}

void PgConnector::NextEndpoint() {
  if (next_endpoint_ == plan_.endpoints.size() && WantsStandby()) {
    any_will_do_ = true;
    next_endpoint_ = 0;
  }
  if (next_endpoint_ == plan_.endpoints.size() && !late_.empty()) {
    only_late_left_ = true;
    attempts_.swap(late_);
    NextAttempt();
    return;
  }
  if (next_endpoint_ == plan_.endpoints.size()) {
    Disconnect();
    if (plan_.secretive) last_failure_.text = kUnshown;
    const Done done = std::move(done_);
    done(nullptr, ConnectionFault(last_failure_));
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
  timer_ = loop_->NewTimer([this, endpoint] {
    resolve_.reset();
    last_failure_ = {"", "could not translate host name \"" + endpoint.host +
                             "\" to an address: the name server did not answer in time"};
    NextEndpoint();
  });
  timer_->Start(attempt_timeout_);
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

void PgConnector::NextAttempt() {
  while (!attempts_.empty()) {
    attempt_ = std::move(attempts_.front());
    attempts_.pop_front();
    if (only_late_left_ || !silent_->Has(KeyOf(attempt_), loop_->Now())) {
      StartAttempt();
      return;
    }
    if (!WantsStandby()) late_.push_back(std::move(attempt_));  // the next round comes to it again
  }
  NextEndpoint();
}

void PgConnector::StartAttempt() {
  const std::string where = attempt_.address.empty() ? plan_.label : attempt_.address;
  begun_ = loop_->Now();
  timer_ = loop_->NewTimer([this, where] {
    silent_->Add(KeyOf(attempt_), loop_->Now());
    AttemptFailed({"", "connection to \"" + where + "\" timed out"});
  });
  timer_->Start(attempt_timeout_);
  if (!attempt_.address.empty()) {
    redial_ = loop_->NewTimer([this] { Redial(); });
    redial_->Start(kRedial);
  }
  Dial(&call_);
}

void PgConnector::Redial() {
  redial_->Start(kRedial);
  HangUp(&later_call_);
  Dial(&later_call_);
}

void PgConnector::Dial(Call* call) {
  std::vector<const char*> names;
  std::vector<const char*> values;
  const auto add = [&](const char* name, const std::string& value) {
    if (value.empty()) return;
    names.push_back(name);
    values.push_back(value.c_str());
  };
  for (const auto& [name, value] : plan_.parameters) add(name.c_str(), value);
  if (WantsStandby()) add("target_session_attrs", "standby");
  add("host", attempt_.endpoint.host);
  add("hostaddr", attempt_.address);
  add("port", attempt_.endpoint.port);
  names.push_back(nullptr);
  values.push_back(nullptr);

  call->connection.reset(PQconnectStartParams(names.data(), values.data(), /*expand_dbname=*/0));
  PGconn* const connection = call->connection.get();
  if (connection == nullptr) {
    AttemptFailed({"", "out of memory"});
    return;
  }
  PQsetErrorVerbosity(connection, PQERRORS_VERBOSE);  // for the SQLSTATE of a refusal
  PQsetNoticeProcessor(connection, DropNotice, nullptr);
  if (PQstatus(connection) == CONNECTION_BAD) {
    AttemptFailed(FailureOf(connection));
    return;
  }
  Watch(call, PGRES_POLLING_WRITING);
}

void PgConnector::Watch(Call* call, PostgresPollingStatusType wants) {
  call->watch = loop_->WatchSocket(PQsocket(call->connection.get()),
                                   [this, call](bool, bool) { OnAnswer(call); });
  call->watch->SetInterest(wants == PGRES_POLLING_READING, wants == PGRES_POLLING_WRITING);
}

void PgConnector::OnAnswer(Call* call) {
  redial_.reset();
  // libpq may close this socket and open another one (sslmode=prefer): the watch has to go first.
  call->watch.reset();
  if (call == &later_call_) {
    HangUp(&call_);
    call_.connection = std::move(later_call_.connection);
  } else {
    HangUp(&later_call_);
  }
  Poll();
}

void PgConnector::Poll() {
  PGconn* const connection = call_.connection.get();
  const PostgresPollingStatusType wants = PQconnectPoll(connection);
  switch (wants) {
    case PGRES_POLLING_READING:
    case PGRES_POLLING_WRITING:
      Watch(&call_, wants);
      return;
    case PGRES_POLLING_OK: {
      silent_->Remove(KeyOf(attempt_));
      timer_.reset();
      PQsetErrorVerbosity(connection, PQERRORS_DEFAULT);
      const Done done = std::move(done_);
      done(std::move(call_.connection), {});
      return;
    }
    case PGRES_POLLING_FAILED:
    case PGRES_POLLING_ACTIVE:
      silent_->Remove(KeyOf(attempt_));
      AttemptFailed(FailureOf(connection));
      return;
  }
}

void PgConnector::AttemptFailed(ConnectionFault failure) {
  last_failure_ = std::move(failure);
  Disconnect();
  NextAttempt();
}

void PgConnector::Disconnect() {
  timer_.reset();
  redial_.reset();
  resolve_.reset();
  HangUp(&call_);
  HangUp(&later_call_);
}

void PgConnector::HangUp(Call* call) {
  call->watch.reset();  // before libpq closes the socket
  call->connection.reset();
}

}  // namespace proxymux::pgsql
