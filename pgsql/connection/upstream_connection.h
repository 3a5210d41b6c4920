// One connection to one database server as the pool sees it: statements go in, results come back in
// order. The real one is PgConnection; tests run the pool on scripted ones.
//
// Everything sent between two Sync() calls is one batch and, on the server, one transaction: when a
// statement of a batch fails, those behind it come back kAborted and were not run, and what those
// before it wrote is undone (libpq, "Pipeline Mode"). The end of the batch itself may fail too, in
// deferred constraints, triggers and with SERIALIZABLE: see Commit().
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pgsql/sql/literal_escaper.h"
#include "pgsql/table/result_format.h"

namespace proxymux::pgsql {

struct Work;  // what a statement was sent for; opaque to the connection

struct StatementResult {
  enum class Kind {
    kRows,     // success, perhaps without any row
    kError,    // the server refused or gave up this statement
    kAborted,  // not run: an earlier statement of the same batch failed
  };
  Kind kind = Kind::kRows;
  const RowSource* rows = nullptr;  // kRows only
  // kRows only: what the server says that it ran, such as "SELECT 1". Empty after PREPARE and for a
  // text without a statement.
  std::string_view tag;
  std::string_view sqlstate;  // kError only: five characters, or empty when libpq itself refused
  std::string_view message;   // kError only: the server's primary message
  bool fatal = false;         // kError only: the server ends the connection with it
};

// Why a connection could not be made, or was lost. `text` is one line without secrets.
struct ConnectionFault {
  std::string sqlstate;  // what the server said; empty: it said nothing
  std::string text;
  enum class End : std::uint8_t {
    kLost,
    // Both here, and the server works:
    kGivenUp,   // for what a statement answered or left behind, which has been told
    kOutdated,  // what sessions are given has changed, and a statement waited for it to be looked
                // at
  } end = End::kLost;
};

// Of a message, for `text`: what libpq says itself may have several.
inline std::string FirstLine(std::string_view message) {
  return std::string(message.substr(0, message.find('\n')));
}

class UpstreamConnection;

// Called on the loop's thread, never from inside a call to the connection. The views die with the
// call.
class UpstreamObserver {
 public:
  virtual ~UpstreamObserver() = default;
  virtual void OnReady(UpstreamConnection* connection) = 0;
  virtual void OnConnectFailed(UpstreamConnection* connection, const ConnectionFault& failure) = 0;
  virtual void OnResult(UpstreamConnection* connection, Work* work,
                        const StatementResult& result) = 0;
  // Pooled() has become false.
  virtual void OnNoPooler(UpstreamConnection* connection) = 0;
  // What sessions are given has changed since this one began: what was not answered yet, and reads
  // only, is to be asked in another one.
  virtual void OnOutdated(UpstreamConnection* connection) = 0;
  // AllAnswered() has become true.
  virtual void OnAllAnswered(UpstreamConnection* connection) = 0;
  // The connection is gone; Close() hands back what it had not answered.
  virtual void OnLost(UpstreamConnection* connection, const ConnectionFault& why) = 0;
};

class UpstreamConnection {
 public:
  virtual ~UpstreamConnection() = default;

  // Begins to connect; ends in OnReady or OnConnectFailed.
  virtual void Connect() = 0;

  // Escapes for a string literal in this connection's encoding. Valid once ready.
  virtual LiteralEscaper& escaper() = 0;

  // These append a statement to the open batch. False: the connection is broken and takes nothing
  // more; the caller drops it. `types` has an OID for each parameter, 0 to let the server infer it;
  // all strings end in NUL.
  //
  // A statement with its values beside it, if it has any.
  virtual bool SendStatement(Work* work, const std::string& sql,
                             std::span<const std::uint32_t> types,
                             std::span<const char* const> values) = 0;
  // A question of the pool's own to the catalogue, first in a batch of its own: it is not compiled
  // (jit), which takes seconds and cannot be cancelled meanwhile. Where the server does not allow
  // that setting, the question comes back kAborted once.
  virtual bool SendQuestion(Work* work, const std::string& sql,
                            std::span<const char* const> values) = 0;
  // PREPARE; its result has no rows.
  virtual bool SendPrepare(Work* work, const std::string& name, const std::string& sql,
                           std::span<const std::uint32_t> types) = 0;
  // EXECUTE.
  virtual bool SendPrepared(Work* work, const std::string& name,
                            std::span<const char* const> values) = 0;
  // Sends a text of several statements by the simple protocol. Only while nothing is in flight;
  // nothing may follow until it is answered. The last statement's result counts.
  virtual bool SendScript(Work* work, const std::string& sql) = 0;
  // Closes the open batch and hands everything to the kernel. Nothing is done when no batch is
  // open.
  virtual bool Sync() = 0;
  // The same for a batch that may have written something, and may still fail when the server
  // commits it: what its statements answered is told when the Sync is answered, or the error that
  // came then.
  virtual bool Commit() = 0;

  // Statements were sent that no Sync has followed.
  virtual bool BatchOpen() const = 0;

  // Nothing that was sent is without an answer, no Sync either.
  virtual bool AllAnswered() const = 0;

  // What answers is a pooler, not the server; also as long as that is not known. Valid once ready.
  virtual bool Pooled() const = 0;

  // What the server says of its version, such as "17.6 (Debian 17.6-0+deb13u1)": 64 printable
  // characters at most; empty: nothing. A pooler tells what its server said. Valid once ready.
  virtual std::string ServerVersion() const = 0;

  // It holds more memory than connections usually do, because of a large result, and until it ends.
  virtual bool Swollen() const = 0;

  // Asks the server to give up the statement that it is running, without waiting for it.
  virtual void CancelRunning() = 0;

  // Ends the connection without another callback and returns what was not answered, oldest first.
  virtual std::vector<Work*> Close() = 0;
};

// Makes connections to one host; the pool's way to the outside.
class UpstreamFactory {
 public:
  virtual ~UpstreamFactory() = default;
  virtual std::unique_ptr<UpstreamConnection> NewConnection(std::size_t host,
                                                            UpstreamObserver* observer) = 0;
};

}  // namespace proxymux::pgsql
