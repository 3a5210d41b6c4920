// What a client sent, as it may stand in a log line: a hostile key or table name must not fill the
// log, nor our memory of what was logged. The log itself replaces what is not printable; what a
// terminal gets is for proxy/text/shown_text.h.
#pragma once

#include <cstddef>
#include <string_view>

namespace proxymux::proxy {

inline constexpr std::size_t kBoundedText = 200;

inline std::string_view BoundedText(std::string_view text) { return text.substr(0, kBoundedText); }

}  // namespace proxymux::proxy
