// Sizes in configuration texts: a whole number and a binary unit, `512B`, `64KiB`, `1MiB`, `2GiB`.
//
// The unit is never optional. `KB` and `MB` are refused: they mean 1000 to one reader and 1024 to
// the next.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace proxymux::config {

// Bytes. Nothing when `text` is not a size or does not fit; then `*error` says what was expected.
std::optional<std::size_t> ParseByteSize(std::string_view text, std::string* error);

// The text with the largest unit that means exactly `bytes`.
std::string FormatByteSize(std::size_t bytes);

}  // namespace proxymux::config
