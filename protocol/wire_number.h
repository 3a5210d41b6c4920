// Numbers in attribute lists: unsigned decimal text, 32 bits.
//
// Clients send plain digits. What else stock lets pass, because it reads with scanf's %u, passes
// here too, with the same value, so that no request is good there and bad here: leading white
// space, a sign, and numbers out of range (glibc reads 64 bits, stops there at the largest, and
// keeps the low 32). Anything else, the empty string too, is no number.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace proxymux::protocol {

std::optional<std::uint32_t> ParseWireNumber(std::string_view text);

}  // namespace proxymux::protocol
