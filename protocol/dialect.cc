#include "protocol/dialect.h"

#include <utility>

#include "protocol/attribute_names.h"

namespace proxymux::protocol {

Dialect DialectOfRelease(int major, int minor) {
  return std::pair(major, minor) < std::pair(3, 11) ? Dialect::kLegacy : Dialect::kInstanceFlags;
}

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
