// The two dialects of the proxymap protocol. Postfix 3.11 gave requests a second flags attribute,
// `instance_flags` (how the client opened the table) beside `flags` (how this one request is to be
// served), and put `flags` into every reply.
//
// A request tells its dialect by the name of the attribute after `table`: `flags` or
// `instance_flags`. A stock service knows only its own release's dialect; we answer each request in
// the dialect it was asked in.
#pragma once

#include <optional>
#include <string_view>

namespace proxymux::protocol {

enum class Dialect {
  kLegacy,         // before 3.11
  kInstanceFlags,  // 3.11 and later
};

// What the stock programs of a Postfix release speak, all of them.
Dialect DialectOfRelease(int major, int minor);

// The dialect that is told by the name of the attribute after `table`; none when that is neither
// name.
std::optional<Dialect> DialectOfAttribute(std::string_view name);

// For logs: "before 3.11", "3.11 and later".
std::string_view DialectName(Dialect dialect);

}  // namespace proxymux::protocol
