#include "config/values/duration.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <limits>

namespace proxymux::config {
namespace {

struct TimeUnit {
  std::string_view name;
  std::int64_t milliseconds;
};

// Largest first, as FormatDuration wants them.
constexpr std::array<TimeUnit, 5> kUnits = {
    {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}}};

constexpr std::string_view kExpected = "a whole number and a unit (ms, s, m, h, d), such as 500ms";

}  // namespace

std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text, std::string* error) {
  std::int64_t number = 0;
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
  for (const TimeUnit& unit : kUnits) {
    if (unit.name != unit_name) continue;
    if (code != std::errc{} ||
        number > std::numeric_limits<std::int64_t>::max() / unit.milliseconds) {
      *error = "the time is too long";
      return std::nullopt;
    }
    return std::chrono::milliseconds(number * unit.milliseconds);
  }
  *error =
      "\"" + std::string(unit_name) + "\" is no unit of time: expected " + std::string(kExpected);
  return std::nullopt;
}

std::string FormatDuration(std::chrono::milliseconds value) {
  const std::int64_t count = value.count();
  if (count == 0) return "0s";
  for (const TimeUnit& unit : kUnits) {
    if (count % unit.milliseconds == 0) {
      return std::to_string(count / unit.milliseconds) + std::string(unit.name);
    }
  }
  return std::to_string(count) + "ms";
}

}  // namespace proxymux::config
