#include "pgsql/libpq/pg_script.h"

namespace proxymux::pgsql {

bool PgScript::Start(PGconn* connection) {
  running_ = true;
  return PQexitPipelineMode(connection) == 1 && PQsendQuery(connection, sql_.c_str()) == 1;
}

PgResultHandle PgScript::TakeLast(PGconn* connection) {
  if (PQenterPipelineMode(connection) != 1) return nullptr;
  return std::move(last_);
}

Work* PgScript::End() {
  running_ = false;
  last_.reset();
  std::string().swap(sql_);
  return std::exchange(work_, nullptr);
}

}  // namespace proxymux::pgsql
