#include "protocol/dialect.h"

#include "protocol/attribute_names.h"

namespace proxymux::protocol {

std::optional<Dialect> DialectOfAttribute(std::string_view name) {
  if (name == kFlagsAttribute) return Dialect::kLegacy;
  if (name == kInstanceFlagsAttribute) return Dialect::kInstanceFlags;
  return std::nullopt;
}

std::string_view DialectName(Dialect dialect) {
  switch (dialect) {
    case Dialect::kLegacy:
      return "before 3.11";
    case Dialect::kInstanceFlags:
      return "3.11 and later";
  }
  return "unknown";
}

}  // namespace proxymux::protocol
