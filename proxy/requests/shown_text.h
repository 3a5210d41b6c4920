// What a client sent, as it may stand in a log line: a hostile key or table name must not fill the
// log, nor our memory of what was logged.
#pragma once

#include <cstddef>
#include <string_view>

namespace proxymux::proxy {

inline constexpr std::size_t kShownText = 200;

inline std::string_view ShownText(std::string_view text) { return text.substr(0, kShownText); }

}  // namespace proxymux::proxy
