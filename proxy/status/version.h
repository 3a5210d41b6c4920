// The release of the program.
#pragma once

namespace proxymux::proxy {

inline constexpr char kVersion[] = "0.1.0";

}  // namespace proxymux::proxy
