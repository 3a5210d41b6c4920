#include "config/values/byte_size.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <limits>

namespace proxymux::config {
namespace {

struct SizeUnit {
  std::string_view name;
  std::uint64_t bytes;
};

// Largest first, as FormatByteSize wants them.
constexpr std::array<SizeUnit, 4> kUnits = {
    {{"GiB", 1u << 30}, {"MiB", 1u << 20}, {"KiB", 1u << 10}, {"B", 1}}};

constexpr std::string_view kExpected =
    "a whole number and a unit (B, KiB, MiB, GiB), such as 64KiB";

}  // namespace

std::optional<std::size_t> ParseByteSize(std::string_view text, std::string* error) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  if (text.empty() || text[0] < '0' || text[0] > '9') {
    *error = "expected " + std::string(kExpected);
    return std::nullopt;
  }
  const auto [rest, code] = std::from_chars(text.data(), end, number);
  const std::string_view unit_name(rest, static_cast<std::size_t>(end - rest));
  if (unit_name.empty()) {
    *error = "the unit is missing: expected " + std::string(kExpected);
    return std::nullopt;
  }
  for (const SizeUnit& unit : kUnits) {
    if (unit.name != unit_name) continue;
    if (code != std::errc{} || number > std::numeric_limits<std::size_t>::max() / unit.bytes) {
      *error = "the size is too large";
      return std::nullopt;
    }
    return static_cast<std::size_t>(number * unit.bytes);
  }
  *error =
      "\"" + std::string(unit_name) + "\" is no unit of size: expected " + std::string(kExpected);
  return std::nullopt;
}

std::string FormatByteSize(std::size_t bytes) {
  if (bytes == 0) return "0B";
  for (const SizeUnit& unit : kUnits) {
    if (bytes % unit.bytes == 0) return std::to_string(bytes / unit.bytes) + std::string(unit.name);
  }
  return std::to_string(bytes) + "B";
}

}  // namespace proxymux::config
