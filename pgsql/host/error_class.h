// Whose fault an error of the server is. Decides what happens to the lookup, the connection and the
// host, so that one odd key never takes a host out of use and a host in trouble never answers for a
// key. One table of SQLSTATEs (PostgreSQL manual, appendix "PostgreSQL Error Codes"), whole codes
// before classes, with a reason for each.
//
// PgBouncer has one SQLSTATE, 08P01, for all that it says itself when it is connected to; there its
// words count (its source: client.c).
//
// Severity counts: a server that ends the connection says FATAL or PANIC. A user's function may
// raise any code as an ERROR, which says nothing about the host.
#pragma once

#include <cstddef>
#include <string_view>

namespace proxymux::pgsql {

enum class Fault {
  kKey,        // this lookup only: RETRY; nothing else is touched
  kStatement,  // the query itself is wrong or not permitted: asked of another host, then CONFIG;
               // host and connection stay
  kUntyped,    // a parameter's type cannot be inferred; declare it text and try again
  kNotPreparable,  // in preparing: the query has no prepared form here; go on with text
  kVanished,    // the session does not have the prepared statement, or has another of that name:
                // the lookup goes on as text, later ones prepare again
  kStale,       // the prepared statement no longer fits the database: the same
  kConflict,    // lost against other work on that host: run again, there or elsewhere
  kElsewhere,   // this host cannot do this statement (now): run on another host if there is one,
                // else once more there after a pause, or RETRY; the host stays in use
  kCancelled,   // by a cancel request or a time limit: ours to tell which; a neighbour runs again
  kConnection,  // this connection is of no more use, the host is not to blame: run again on another
                // connection
  kHostFull,    // no more connections there now; those that are open stay good
  kHost,        // the host is out of service: leave it alone, probe it, run the work elsewhere
};

// What was being done when the error came.
enum class ErrorStage { kConnect, kPrepare, kPrepared, kParameterized, kText };

struct ServerError {
  std::string_view sqlstate;  // five characters; empty when libpq made the error itself
  bool fatal = false;         // severity FATAL or PANIC
  ErrorStage stage = ErrorStage::kText;
  std::string_view text = {};  // of kConnect
};

struct ErrorVerdict {
  Fault fault;
  std::string_view reason;  // a phrase for the log
  // While connecting: the server is starting, stopping, full or in trouble, or none answers. That
  // is soon over, and asked again at once; a refusal lasts until somebody mends it.
  bool passes = false;
};

ErrorVerdict ClassifyError(const ServerError& error);

// Whether the server lacks what a question of our own needs, or the role may not use it. The same
// server says so again the next time.
bool RefusesQuestion(std::string_view sqlstate);

// One row of the table, for the tests and the documentation.
struct ErrorRule {
  std::string_view code;  // five characters, or the two of a class
  Fault fault;
  std::string_view reason;
  bool passes = false;
};
const ErrorRule* ErrorRules(std::size_t* count);

}  // namespace proxymux::pgsql
