#include "pgsql/libpq/pg_result.h"

namespace proxymux::pgsql {
namespace {

std::string_view Field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text != nullptr ? text : "";
}

}  // namespace

bool IsCopy(ExecStatusType status) {
  return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

StatementResult ErrorOf(const PGresult* result) {
  StatementResult error;
  error.kind = StatementResult::Kind::kError;
  error.sqlstate = Field(result, PG_DIAG_SQLSTATE);
  error.message = Field(result, PG_DIAG_MESSAGE_PRIMARY);
  std::string_view severity = Field(result, PG_DIAG_SEVERITY_NONLOCALIZED);
  // PgBouncer's own errors, and those of PostgreSQL before 9.6, have no other.
  if (severity.empty()) severity = Field(result, PG_DIAG_SEVERITY);
  error.fatal = severity == "FATAL" || severity == "PANIC";
  if (error.message.empty()) error.message = PQresultErrorMessage(result);
  return error;
}

std::optional<StatementResult> AnswerOf(const PGresult* result, const ResultRows& rows) {
  StatementResult answer;
  switch (PQresultStatus(result)) {
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
      answer.rows = &rows;
      answer.tag = PQcmdStatus(const_cast<PGresult*>(result));
      return answer;
    case PGRES_FATAL_ERROR:
      return ErrorOf(result);
    case PGRES_PIPELINE_ABORTED:
      answer.kind = StatementResult::Kind::kAborted;
      return answer;
    default:
      return std::nullopt;
  }
}

}  // namespace proxymux::pgsql
