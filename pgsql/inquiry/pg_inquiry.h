// Questions to one server by somebody who waits for each answer: for commands, never for the
// service. Each waits for a bounded time, and all of them together do; a server that does not
// answer one is not asked again.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "pgsql/libpq/pg_handles.h"

namespace proxymux::pgsql {

class PgInquiry {
 public:
  struct Fault {
    std::string sqlstate;  // empty: no server said it
    std::string message;   // one line
    std::string hint;      // the server's own; may be empty
    // Bytes into the statement; nothing: it is about no place.
    std::optional<std::size_t> position;
  };
  // NULL as nothing.
  using Row = std::vector<std::optional<std::string>>;
  using Answer = std::variant<std::vector<Row>, Fault>;

  using Clock = std::chrono::steady_clock;

  // Connected, and outside of a pipeline. `patience` is for one answer; nothing is waited for
  // behind `end`.
  PgInquiry(PgConnectionHandle connection, std::chrono::milliseconds patience,
            Clock::time_point end = Clock::time_point::max());

  // Commands without values, one behind the other; the first fault ends them.
  std::optional<Fault> Run(const std::string& commands);
  // One statement, with its values beside it. Commands answer no rows.
  Answer Ask(const std::string& sql, std::span<const char* const> values = {});
  // `types`: an OID for each parameter, or nothing for those that the server infers.
  std::optional<Fault> Prepare(const std::string& name, const std::string& sql,
                               std::span<const std::uint32_t> types = {});

  // The connection is of no use any more, and why; every question is answered with that.
  bool lost() const { return lost_.has_value(); }
  std::string WhyLost() const { return lost() ? lost_->message : std::string(); }
  // "TLSv1.3"; empty: nothing is encrypted.
  std::string TlsVersion() const;
  // The process id that the server gave when the session began. Behind a pooler another one
  // answers.
  std::int32_t FirstBackend() const;
  // The numeric address that was connected to; empty: a UNIX socket.
  std::string Address() const;
  // The same with the port, or the socket's directory and its port: tells servers from each other.
  std::string Place() const;

 private:
  Answer Finish(bool sent, const std::string& sql);
  // The last result, or the first that is a fault; null: the connection is lost.
  PgResultHandle Receive();
  // Sends what is left, and reads what has come. False: the connection is lost.
  bool Exchange(Clock::time_point deadline);
  Fault FaultOf(const PGresult* result, const std::string& sql) const;
  Fault Lose(std::string why);

  const PgConnectionHandle connection_;
  const std::chrono::milliseconds patience_;
  const Clock::time_point end_;
  std::optional<Fault> lost_;
};

}  // namespace proxymux::pgsql
