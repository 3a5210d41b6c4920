// Text that comes from elsewhere, for a terminal: bounded, and with every byte escaped that could
// do something to it. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace proxymux::proxy {

// How much of a key, a row or a value is shown.
inline constexpr std::size_t kShownBytes = 200;

// In double quotes, with `\n`, `\\`, `\x1b` and the like for what is no plain character, and
// "... (5000 bytes)" behind a text that is longer than `limit`. `bytes` is its whole length, when
// `text` is only the beginning.
std::string QuotedText(std::string_view text, std::size_t limit = kShownBytes,
                       std::size_t bytes = 0);

// As it is, without quotes, but for what a terminal would take for a command.
std::string ShownText(std::string_view text, std::size_t limit = std::string_view::npos);

}  // namespace proxymux::proxy
