// A compiled table together with the settings that it is looked up with and what the server's
// catalogue said about its statement. Shared by the registry and the lookups in flight; a changed
// file makes a new one.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "config/server_config.h"
#include "pgsql/compiled_table.h"
#include "pgsql/service_time.h"
#include "pgsql/statement_plan.h"
#include "pgsql/usual_wait.h"

namespace proxymux::pgsql {

// Whether running the statement may change something. Until it is known to be kReads, a statement
// gets a Sync of its own and is never shared between callers.
enum class WriteClass {
  kUnknown,  // the text alone does not tell: the catalogue has to be asked
  kAsking,   // it is being asked
  kReads,
  kMayWrite,
};

struct TableBinding {
  std::string name;  // "pgsql:/etc/postfix/x.cf"
  std::shared_ptr<const CompiledTable> table;
  config::TableSettings settings;
  WriteClass write_class = WriteClass::kUnknown;
  StatementPlan plan;
  ServiceTime service_time;
  UsualWait usual_wait;
  std::size_t in_lanes = 0;  // statements of it that are in flight in lanes (connection_pool.h)

  // What the text alone tells; kUnknown when it calls functions.
  static WriteClass FromText(const StatementClass& statement) {
    if (statement.may_write) return WriteClass::kMayWrite;
    if (statement.called_names.empty() && statement.attribute_names.empty())
      return WriteClass::kReads;
    return WriteClass::kUnknown;
  }
};

}  // namespace proxymux::pgsql
