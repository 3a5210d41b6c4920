// The name of a table, TYPE:NAME, and the `proxy:` before it, which Postfix writes for a table that
// is asked through proxymap(8).
#pragma once

#include <string_view>

namespace proxymux::protocol {

inline constexpr std::string_view kProxyPrefix = "proxy:";

// The table's TYPE:NAME: without any number of leading `proxy:`.
std::string_view StripProxyPrefixes(std::string_view table);

}  // namespace proxymux::protocol
