// A compiled table together with the settings that it is looked up with and what the server's
// catalogue said about its statement. Shared by the registry and the lookups in flight; a changed
// file makes a new one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>

#include "config/values/server_config.h"
#include "pgsql/table/compiled_table.h"
#include "pgsql/table/service_time.h"
#include "pgsql/table/statement_effects.h"
#include "pgsql/table/statement_plan.h"
#include "pgsql/table/usual_wait.h"
#include "pgsql/work/work.h"

namespace proxymux::pgsql {

// Whether running the statement may change something. Until it is known to be kReads, a statement
// gets a Sync of its own and is never shared between callers.
enum class WriteClass {
  kUnknown,  // the text alone does not tell: the catalogue has to be asked
  kAsking,   // it is being asked
  kReads,
  kMayWrite,
};

// What a table's lookups wait for when they wait to be sent (work_queues.h).
enum class Line : std::uint8_t {
  kShared,      // any connection that is no lane
  kLoan,        // one that is nobody's own, or the table's: what they do to it is not known
  kOwn,         // one of the table's own
  kUnmeasured,  // a lane; how long they take was never measured, and none is in a lane
  kSlow,        // a lane; none is in one
  kSlowMore,    // a lane; some are in one
};
inline constexpr Line kAllLines[] = {Line::kShared,     Line::kLoan, Line::kOwn,
                                     Line::kUnmeasured, Line::kSlow, Line::kSlowMore};
inline constexpr std::size_t kLines = std::size(kAllLines);

struct TableBinding {
  std::string name;  // "pgsql:/etc/postfix/x.cf"
  std::shared_ptr<const CompiledTable> table;
  config::TableSettings settings;
  WriteClass write_class = WriteClass::kUnknown;
  // With whom its statements may share a connection, once write_class is known.
  SessionUse session = SessionUse::kShared;
  std::string session_reason;         // why not with every statement; empty when it may
  std::uint8_t questions_failed = 0;  // to the catalogue, in a row
  // The pool's count of the catalogues that write_class, session and its reason were taken from;
  // 0: the text alone tells.
  std::uint64_t catalogue = 0;
  StatementPlan plan;
  ServiceTime service_time;
  UsualWait usual_wait;
  std::size_t in_lanes = 0;  // statements of it that are in flight in lanes

  // Its pool's: where its lookups wait, those that were never sent and do not share, in the order
  // of submission; and where it stands among the tables of that line.
  Line line = Line::kShared;
  WorkList waiting;
  ListHook<TableBinding> turn;

  // A text of several statements, or one that is the last of its session.
  bool IsScript() const {
    const StatementClass& statement = table->statement_class();
    return statement.statements > 1 || statement.changes_session;
  }

  // Its statements take long, or nobody knows how long.
  bool NeedsLane() const { return IsScript() || service_time.slow(); }

  // Takes what the text alone tells: that it may write, and then anything may follow in the
  // session. Else the catalogue has to be asked: also what calls no function may read a view that
  // does.
  void SetFromText(const StatementClass& statement) {
    if (!statement.may_write) return;
    write_class = WriteClass::kMayWrite;
    session = SessionUse::kOwnSession;
    session_reason = "its query is no plain SELECT, or what it calls cannot be told";
  }
};

}  // namespace proxymux::pgsql
