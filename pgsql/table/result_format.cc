#include "pgsql/table/result_format.h"

#include <algorithm>
#include <utility>

namespace proxymux::pgsql {

std::variant<ResultFormat, TemplateError> ResultFormat::Compile(std::string_view format) {
  if (format.empty()) return TemplateError{0, "must not be empty; the default is %s"};
  ResultFormat result;
  Piece piece;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      piece.text.push_back(format[i]);
      continue;
    }
    const PlaceholderAt placeholder = ReadPlaceholder(format, i);
    if (placeholder.letter == 0) return TemplateError{i, placeholder.error};
    ++i;
    switch (placeholder.letter) {
      case '%':
        piece.text.push_back('%');
        continue;
      case 's':
      case 'S':
        break;
      case 'u':
        result.uses_element_user_ = true;
        break;
      case 'd':
        result.uses_element_domain_ = true;
        break;
      case 'U':
        result.requirements_.user = true;
        break;
      case 'D':
        result.requirements_.domain = true;
        break;
      default:
        result.requirements_.domain = true;
        result.requirements_.labels = std::max(result.requirements_.labels,
                                               static_cast<std::size_t>(placeholder.letter - '0'));
        break;
    }
    piece.letter = placeholder.letter;
    result.pieces_.push_back(std::move(piece));
    piece = Piece();
  }
  if (!piece.text.empty()) result.pieces_.push_back(std::move(piece));
  return result;
}

FormatOutcome ResultFormat::Format(const RowSource& rows, const KeyParts& key,
                                   const FormatLimits& limits, std::string* out) const {
  FormatOutcome outcome;
  const std::size_t begin = out->size();
  const auto fail = [&](FormatStatus status) {
    out->resize(begin);
    outcome.status = status;
    return outcome;
  };
  const std::size_t row_count = rows.rows();
  const std::size_t column_count = rows.columns();
  for (std::size_t row = 0; row < row_count; ++row) {
    for (std::size_t column = 0; column < column_count; ++column) {
      const std::string_view value =
          rows.IsNull(row, column) ? std::string_view() : rows.Value(row, column);
      if (value.empty()) {
        ++outcome.empty;
        continue;
      }
      const KeyParts element(value);
      if (uses_element_domain_ && element.domain().empty()) continue;
      if (uses_element_user_ && element.user().empty()) continue;
      const auto field = [&](char letter) {
        switch (letter) {
          case 0:
            return std::string_view();
          case 's':
            return value;
          case 'u':
            return element.user();
          case 'd':
            return element.domain();
          case 'S':
            return key.key();
          case 'U':
            return key.user();
          case 'D':
            return key.domain();
          default:
            return key.Label(static_cast<std::size_t>(letter - '0'));
        }
      };
      if (out->size() > begin) out->push_back(',');
      for (const Piece& piece : pieces_) {
        const std::string_view inserted = field(piece.letter);
        const std::size_t length = out->size() - begin;
        if (length + piece.text.size() + inserted.size() > limits.value_bytes)
          return fail(FormatStatus::kTooLarge);
        out->append(piece.text).append(inserted);
      }
      ++outcome.elements;
      if (limits.elements > 0 && outcome.elements > static_cast<std::uint64_t>(limits.elements))
        return fail(FormatStatus::kTooManyElements);
    }
  }
  outcome.status = outcome.elements > 0 ? FormatStatus::kFound : FormatStatus::kNotFound;
  return outcome;
}

}  // namespace proxymux::pgsql
