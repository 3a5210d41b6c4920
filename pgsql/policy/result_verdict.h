// What becomes of a work, of its connection and of what is known of its statement when the server
// answers with an error, and whether an answer is one to what was asked. Whose fault an error is
// stands in error_class.h. Pure: the shell carries it out.
#pragma once

#include <cstdint>

#include "pgsql/connection/pool_connection.h"
#include "pgsql/connection/upstream_connection.h"
#include "pgsql/host/error_class.h"
#include "pgsql/runtime/event_loop.h"
#include "pgsql/table/statement_form.h"
#include "pgsql/work/work.h"

namespace proxymux::pgsql {

// What was being done when `work` failed.
ErrorStage StageOf(const Work& work);

// A try that failed, and what the judgement depends on.
struct FailedTry {
  Fault fault = Fault::kKey;
  bool fatal = false;  // the server ends the connection with it
  StatementForm form = StatementForm::kText;
  bool plan_is_current = true;  // it was sent as the table's plan has it now
  bool untried_host = false;    // some host that the lookup was not sent to may serve
  // Of the connection's CancelRequest.
  bool cancel_may_have_hit = false;
  bool cancel_hits_the_one = false;
};

struct ResultVerdict {
  enum class Next : std::uint8_t {
    kRetry,   // answered so
    kConfig,  // answered so
    kAgain,   // put into the queue again, or answered kRetry when no host can take it
  };
  enum class Attempt : std::uint8_t {
    kCounts,
    kTakenBack,  // it was not run, or would have come out otherwise in another form
    kExhausted,  // this host has none left for it
    kLost,       // counts as a lost connection, perhaps to its account
  };
  // What is learned of the statement.
  enum class Lesson : std::uint8_t {
    kNothing,
    kTextFailed,  // the query is wrong, whatever its form
    kUntyped,     // the type of a parameter cannot be inferred
    kRefused,     // there is no form with parameters
    kPutOff,      // it could not be prepared now
    kRetired,     // prepared, it does not fit the database any more
    kVanished,    // prepared, it is not there any more
  };

  Next next = Next::kRetry;
  Attempt attempt = Attempt::kCounts;
  Lesson lesson = Lesson::kNothing;
  bool as_text = false;        // this lookup goes on as text
  bool host_failed = false;    // counts against the host
  bool cancelled = false;      // our cancel request has shown its effect
  bool session_stuck = false;  // the connection is of no more use
  Duration pause{};            // kAgain: before that
};

// Of a lookup.
ResultVerdict JudgeLookup(const FailedTry& failed);
// Of a PREPARE, of which `next`, `attempt` and `as_text` say nothing: whoever waits for it was
// aborted with it and runs again.
ResultVerdict JudgePrepare(const FailedTry& failed);

// What a result counts as: mostly, what it is.
//
// libpq makes a result of what it gets even when a message was changed on its way: rows that were
// skipped, another statement's rows, or no rows for a statement that was said to be empty. What the
// server says that it ran tells. Such rows are an error without SQLSTATE, and the session is stuck.
//
// What is answered in a session that is outdated counts as kAborted, to be asked in a new one, if
// nothing is done twice by that.
StatementResult AsItCounts(const PoolConnection& connection, const Work& work,
                           const StatementResult& result);

}  // namespace proxymux::pgsql
