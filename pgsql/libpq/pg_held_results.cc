#include "pgsql/libpq/pg_held_results.h"

namespace proxymux::pgsql {

std::optional<StatementResult> HeldResults::Next(Fate fate, const PGresult* error) {
  if (told_ == results_.size()) return std::nullopt;
  const PGresult* const result = results_[told_++].get();
  switch (fate) {
    case Fate::kStands:
      rows_.emplace(result);
      return AnswerOf(result, *rows_);
    case Fate::kUndone:
      break;
  }
  if (error != nullptr && told_ == results_.size()) return ErrorOf(error);
  StatementResult aborted;
  aborted.kind = StatementResult::Kind::kAborted;
  return aborted;
}

}  // namespace proxymux::pgsql
