// The attribute names and fixed values of the proxymap wire protocol, in one place for parsers and
// encoders.
#pragma once

#include <string_view>

namespace proxymux::protocol {

inline constexpr std::string_view kRequestAttribute = "request";
inline constexpr std::string_view kTableAttribute = "table";
inline constexpr std::string_view kInstanceFlagsAttribute = "instance_flags";
inline constexpr std::string_view kFlagsAttribute = "flags";
inline constexpr std::string_view kKeyAttribute = "key";
inline constexpr std::string_view kValueAttribute = "value";
inline constexpr std::string_view kFunctionAttribute = "function";
inline constexpr std::string_view kStatusAttribute = "status";

// The greeting of Postfix 3.6 and later is the list `protocol = proxymap_protocol`.
inline constexpr std::string_view kProtocolAttribute = "protocol";
inline constexpr std::string_view kProtocolName = "proxymap_protocol";

}  // namespace proxymux::protocol
