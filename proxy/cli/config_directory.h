// Where a command looks for main.cf when it is not told.
#pragma once

#include <string>

namespace proxymux::proxy {

// postmulti(1) -x sets MAIL_CONFIG; otherwise Debian's place.
std::string DefaultConfigDirectory();

}  // namespace proxymux::proxy
