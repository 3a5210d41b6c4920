// The libuv that the program runs with.
#pragma once

#include <string>

namespace proxymux::proxy {

std::string LibuvVersion();  // "1.44.2"

}  // namespace proxymux::proxy
