// Times in configuration texts: a whole number and a unit, `500ms`, `30s`, `5m`, `1h`, `1d`.
//
// The unit is never optional, not even for 0: a bare number means seconds to one reader and
// milliseconds to the next. No sign, no fraction, no blank between number and unit.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace proxymux::config {

// Nothing when `text` is not a duration or does not fit; then `*error` says what was expected.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text, std::string* error);

// The shortest text that means exactly `value` (90s stays `90s`, 120s is `2m`). Never negative.
std::string FormatDuration(std::chrono::milliseconds value);

}  // namespace proxymux::config
