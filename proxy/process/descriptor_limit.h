// How many files the process may have open.
#pragma once

#include <cstddef>

namespace proxymux::proxy {

// Raises the limit to `wanted`, the hard one too as long as we are allowed to (root). How many
// there may be now.
std::size_t RaiseDescriptorLimit(std::size_t wanted);

}  // namespace proxymux::proxy
