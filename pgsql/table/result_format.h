// The `result_format` setting of a pgsql_table(5), compiled once, and the way from rows to the one
// value of a lookup.
//
// Every column of every row, in order, is an element. NULL and empty elements are skipped and
// counted. %s, %u and %d stand for the element, its user and its domain; an element is skipped
// silently when %d is used and it has no domain, or %u and its user is empty. %S %U %D %1..%9 stand
// for parts of the key. Formatted elements are joined with ','.
//
// Immutable after Compile. Format appends to the caller's string and allocates nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "pgsql/sql/key_parts.h"
#include "pgsql/sql/query_template.h"

namespace proxymux::pgsql {

// The result of one query, implemented over libpq's PGresult.
class RowSource {
 public:
  virtual ~RowSource() = default;
  virtual std::size_t rows() const = 0;
  virtual std::size_t columns() const = 0;
  virtual bool IsNull(std::size_t row, std::size_t column) const = 0;
  virtual std::string_view Value(std::size_t row, std::size_t column) const = 0;
};

struct FormatLimits {
  std::int64_t elements = 0;          // formatted elements; 0 or less: no limit
  std::size_t value_bytes = 1 << 20;  // of the whole value
};

// The most that a server may send for one value: rows may carry much that is left out of it, and an
// element of one byte comes as twelve.
constexpr std::size_t MostReceivedFor(std::size_t value_bytes) {
  return 8 * value_bytes + (1 << 20);
}

enum class FormatStatus {
  kFound,
  kNotFound,         // no element was left
  kTooManyElements,  // expansion_limit exceeded: answer RETRY and warn
  kTooLarge,         // the value outgrew value_bytes: answer RETRY and warn
};

struct FormatOutcome {
  FormatStatus status = FormatStatus::kNotFound;
  std::size_t elements = 0;  // formatted ones
  std::size_t empty = 0;     // skipped because NULL or empty: worth a warning
};

class ResultFormat {
 public:
  static std::variant<ResultFormat, TemplateError> Compile(std::string_view format);

  // What the key must have for %S %U %D %1..%9.
  const Requirements& requirements() const { return requirements_; }

  // Appends the value to `out`; restores `out` unless the status is kFound.
  FormatOutcome Format(const RowSource& rows, const KeyParts& key, const FormatLimits& limits,
                       std::string* out) const;

 private:
  struct Piece {
    std::string text;
    char letter = 0;  // the placeholder behind the text: s u d S U D 1..9; 0: none
  };

  std::vector<Piece> pieces_;
  Requirements requirements_;
  bool uses_element_user_ = false;
  bool uses_element_domain_ = false;
};

}  // namespace proxymux::pgsql
