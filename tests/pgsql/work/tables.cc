#include "tests/pgsql/work/tables.h"

#include <chrono>
#include <utility>

#include "pgsql/table/statement_plan.h"
#include "tests/pgsql/table/compiled_tables.h"

namespace proxymux::pgsql {

std::shared_ptr<TableBinding> BoundTable(const std::string& query, WriteClass write_class,
                                         config::StatementMode mode) {
  auto table = Compiled(TableOfQuery(query));
  if (table == nullptr) return nullptr;
  auto binding = std::make_shared<TableBinding>();
  binding->name = "pgsql:/etc/postfix/t.cf";
  binding->table = std::move(table);
  binding->write_class = write_class;
  binding->service_time.Record(std::chrono::milliseconds(1));
  binding->plan = StatementPlan(binding->table->query(), binding->table->statement_class(), mode);
  return binding;
}

std::shared_ptr<TableBinding> QuickTable() {
  return BoundTable("SELECT v FROM t WHERE k = '%s'", WriteClass::kReads);
}

std::shared_ptr<TableBinding> OwnSessionTable() {
  auto table = QuickTable();
  table->session = SessionUse::kOwnSession;
  return table;
}

std::shared_ptr<TableBinding> SlowTable(Duration taken) {
  auto table = QuickTable();
  table->service_time = {};
  table->service_time.Record(taken);
  return table;
}

}  // namespace proxymux::pgsql
