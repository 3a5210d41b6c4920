// What the statements of one batch were answered, kept until the batch's Sync is answered: the
// batch may still fail there, and then none of these answers holds.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "pgsql/libpq/pg_handles.h"
#include "pgsql/libpq/pg_result.h"
#include "pgsql/connection/upstream_connection.h"

namespace proxymux::pgsql {

class HeldResults {
 public:
  enum class Fate { kStands, kUndone };

  std::size_t size() const { return results_.size(); }
  void Add(PgResultHandle result) { results_.push_back(std::move(result)); }

  // One statement's answer after the other; nothing when all were told. When the batch was undone
  // all answers are kAborted, except that the last statement gets `error`, if there is one. The
  // answers are views of what this object keeps.
  std::optional<StatementResult> Next(Fate fate, const PGresult* error);

 private:
  std::vector<PgResultHandle> results_;
  std::optional<ResultRows> rows_;  // of the answer that was told last
  std::size_t told_ = 0;
};

}  // namespace proxymux::pgsql
