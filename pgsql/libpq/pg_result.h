// What libpq gives as a result, as the pool takes it: rows, or an error with its SQLSTATE. Views
// into the PGresult, which the caller keeps.
#pragma once

#include <libpq-fe.h>

#include <cstddef>
#include <optional>
#include <string_view>

#include "pgsql/connection/upstream_connection.h"
#include "pgsql/table/result_format.h"

namespace proxymux::pgsql {

class ResultRows final : public RowSource {
 public:
  explicit ResultRows(const PGresult* result) : result_(result) {}
  std::size_t rows() const override { return static_cast<std::size_t>(PQntuples(result_)); }
  std::size_t columns() const override { return static_cast<std::size_t>(PQnfields(result_)); }
  bool IsNull(std::size_t row, std::size_t column) const override {
    return PQgetisnull(result_, static_cast<int>(row), static_cast<int>(column)) != 0;
  }
  std::string_view Value(std::size_t row, std::size_t column) const override {
    const int r = static_cast<int>(row);
    const int c = static_cast<int>(column);
    return {PQgetvalue(result_, r, c), static_cast<std::size_t>(PQgetlength(result_, r, c))};
  }

 private:
  const PGresult* result_;
};

// Whether the result begins a COPY: the server then waits for data, or sends data outside of
// results.
bool IsCopy(ExecStatusType status);

StatementResult ErrorOf(const PGresult* result);

// What a statement was answered with, `rows` being of the same result. Nothing when `result` does
// not end a statement.
std::optional<StatementResult> AnswerOf(const PGresult* result, const ResultRows& rows);

}  // namespace proxymux::pgsql
