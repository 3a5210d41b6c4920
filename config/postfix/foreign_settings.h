// Settings of other programs that are written into the file of a pgsql table, where no release of
// Postfix reads them. Pure.
#pragma once

#include <string_view>

namespace proxymux::config {

// What to write instead; empty: the name is not known from elsewhere.
std::string_view InsteadOf(std::string_view name);

}  // namespace proxymux::config
