// How many columns a command may use for what it prints.
//
// COLUMNS in the environment decides, then the terminal; what goes to a file or into a pipe has no
// limit, so that grep finds whole lines. At least kLeastWidth, below which nothing would be
// readable.
#pragma once

#include <cstddef>

namespace proxymux::proxy {

inline constexpr std::size_t kLeastWidth = 60;

// `columns`: the variable's value; null: it is not set. kUnlimitedWidth (text_grid.h): no limit.
std::size_t OutputWidth(int descriptor, const char* columns);

}  // namespace proxymux::proxy
