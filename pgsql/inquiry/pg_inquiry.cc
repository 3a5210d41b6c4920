#include "pgsql/inquiry/pg_inquiry.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <utility>

#include "pgsql/connection/upstream_connection.h"

namespace proxymux::pgsql {
namespace {

constexpr int kTextResult = 0;

// What has been decrypted already makes no socket readable: it is looked for now and then.
constexpr std::chrono::milliseconds kLongestSleep{100};

std::string Field(const PGresult* result, int field) {
  const char* const text = PQresultErrorField(result, field);
  return text == nullptr ? std::string() : text;
}

// From characters, counted from 1, to bytes: PG_DIAG_STATEMENT_POSITION.
std::optional<std::size_t> BytesOf(const std::string& position, const std::string& sql,
                                   int encoding) {
  std::size_t characters = 0;
  std::from_chars(position.data(), position.data() + position.size(), characters);
  if (characters == 0) return std::nullopt;
  std::size_t at = 0;
  while (--characters > 0 && at < sql.size()) {
    at += static_cast<std::size_t>(std::max(1, PQmblen(sql.c_str() + at, encoding)));
  }
  return std::min(at, sql.size());
}

std::vector<PgInquiry::Row> RowsOf(const PGresult* result) {
  std::vector<PgInquiry::Row> rows(static_cast<std::size_t>(PQntuples(result)));
  for (std::size_t row = 0; row < rows.size(); ++row) {
    for (int column = 0; column < PQnfields(result); ++column) {
      const int at = static_cast<int>(row);
      if (PQgetisnull(result, at, column) != 0) {
        rows[row].emplace_back(std::nullopt);
      } else {
        rows[row].emplace_back(PQgetvalue(result, at, column));
      }
    }
  }
  return rows;
}

}  // namespace

PgInquiry::PgInquiry(PgConnectionHandle connection, std::chrono::milliseconds patience,
                     Clock::time_point end)
    : connection_(std::move(connection)), patience_(patience), end_(end) {
  // A server that reads no more would else be waited for without a bound.
  if (PQsetnonblocking(connection_.get(), 1) != 0) {
    Lose(FirstLine(PQerrorMessage(connection_.get())));
  }
}

std::string PgInquiry::TlsVersion() const {
  if (PQsslInUse(connection_.get()) == 0) return {};
  const char* const version = PQsslAttribute(connection_.get(), "protocol");
  return version == nullptr ? "TLS" : version;
}

std::int32_t PgInquiry::FirstBackend() const { return PQbackendPID(connection_.get()); }

std::string PgInquiry::Address() const {
  const char* const address = PQhostaddr(connection_.get());
  return address == nullptr ? std::string() : address;
}

std::string PgInquiry::Place() const {
  const std::string address = Address();
  const char* const host = PQhost(connection_.get());
  const char* const port = PQport(connection_.get());
  return (address.empty() && host != nullptr ? host : address) + ":" +
         (port == nullptr ? "" : port);
}

std::optional<PgInquiry::Fault> PgInquiry::Run(const std::string& commands) {
  if (lost()) return lost_;
  Answer answer = Finish(PQsendQuery(connection_.get(), commands.c_str()) == 1, commands);
  if (auto* fault = std::get_if<Fault>(&answer)) return std::move(*fault);
  return std::nullopt;
}

PgInquiry::Answer PgInquiry::Ask(const std::string& sql, std::span<const char* const> values) {
  if (lost()) return *lost_;
  return Finish(PQsendQueryParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()),
                                  nullptr, values.data(), nullptr, nullptr, kTextResult) == 1,
                sql);
}

std::optional<PgInquiry::Fault> PgInquiry::Prepare(const std::string& name, const std::string& sql,
                                                   std::span<const std::uint32_t> types) {
  static_assert(std::is_same_v<Oid, std::uint32_t>);
  if (lost()) return lost_;
  Answer answer = Finish(PQsendPrepare(connection_.get(), name.c_str(), sql.c_str(),
                                       static_cast<int>(types.size()), types.data()) == 1,
                         sql);
  if (auto* fault = std::get_if<Fault>(&answer)) return std::move(*fault);
  return std::nullopt;
}

PgInquiry::Answer PgInquiry::Finish(bool sent, const std::string& sql) {
  if (!sent) return Lose(FirstLine(PQerrorMessage(connection_.get())));
  const PgResultHandle result = Receive();
  if (result == nullptr) return *lost_;
  switch (PQresultStatus(result.get())) {
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
      return RowsOf(result.get());
    default:
      return FaultOf(result.get(), sql);
  }
}

PgResultHandle PgInquiry::Receive() {
  const Clock::time_point deadline = std::min(end_, Clock::now() + patience_);
  PgResultHandle told;
  while (true) {
    while (PQflush(connection_.get()) == 1 || PQisBusy(connection_.get()) != 0) {
      if (!Exchange(deadline)) return nullptr;
    }
    PgResultHandle result(PQgetResult(connection_.get()));
    if (result == nullptr) break;
    if (told == nullptr || PQresultStatus(told.get()) != PGRES_FATAL_ERROR) {
      told = std::move(result);
    }
  }
  if (PQstatus(connection_.get()) == CONNECTION_BAD || told == nullptr) {
    Lose(FirstLine(PQerrorMessage(connection_.get())));
    return nullptr;
  }
  return told;
}

bool PgInquiry::Exchange(Clock::time_point deadline) {
  PGconn* const connection = connection_.get();
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  if (left.count() <= 0) {
    Lose(Clock::now() >= end_ ? "the time for its answers is over"
                              : "no answer within " + std::to_string(patience_.count()) + " ms");
    return false;
  }
  const short events = PQflush(connection) == 1 ? POLLIN | POLLOUT : POLLIN;
  pollfd socket{PQsocket(connection), events, 0};
  if (poll(&socket, 1, static_cast<int>(std::min(left, kLongestSleep).count())) < 0 &&
      errno != EINTR) {
    Lose(std::strerror(errno));
    return false;
  }
  if (PQconsumeInput(connection) != 1) {
    Lose(FirstLine(PQerrorMessage(connection)));
    return false;
  }
  return true;
}

PgInquiry::Fault PgInquiry::FaultOf(const PGresult* result, const std::string& sql) const {
  Fault fault;
  fault.sqlstate = Field(result, PG_DIAG_SQLSTATE);
  fault.message = FirstLine(Field(result, PG_DIAG_MESSAGE_PRIMARY));
  if (fault.message.empty()) fault.message = FirstLine(PQresultErrorMessage(result));
  fault.hint = FirstLine(Field(result, PG_DIAG_MESSAGE_HINT));
  fault.position =
      BytesOf(Field(result, PG_DIAG_STATEMENT_POSITION), sql, PQclientEncoding(connection_.get()));
  return fault;
}

PgInquiry::Fault PgInquiry::Lose(std::string why) {
  lost_ = Fault{"", std::move(why), "", std::nullopt};
  return *lost_;
}

}  // namespace proxymux::pgsql
