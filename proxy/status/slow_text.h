// The slow lookups of a /status.json document as text for a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

#include "proxy/status/status_text.h"

namespace proxymux::proxy {

// The latest first. `width` is in columns, or kUnlimitedWidth (text_grid.h).
std::variant<std::string, StatusTextError> SlowText(std::string_view json, std::size_t width);

}  // namespace proxymux::proxy
