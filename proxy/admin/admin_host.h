// Whether the Host header of a request names the listener that it came to.
//
// A web page may give its own name the listener's address (DNS rebinding): the browser then takes
// the page and the listener for one site, and lets the page read the answers. Such a request still
// carries the page's name in Host. What is taken: `localhost`, any loopback address, and the
// address that the connection came to; each with any port or none, since a port may be forwarded.
#pragma once

#include <string_view>

namespace proxymux::proxy {

// `local_address` is numeric, without brackets.
bool IsOwnHost(std::string_view host, std::string_view local_address);

}  // namespace proxymux::proxy
