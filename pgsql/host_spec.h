// One entry of the `hosts` setting of a pgsql_table(5), parsed. Looks nothing up.
//
//   host, host:port      a TCP host name or address; split at the last colon, so ::1:5432 is the
//   address ::1
//   [::1], [::1]:5432    an IPv6 address in brackets (stock cannot read these)
//   /directory, empty    a UNIX socket directory (empty: libpq's own), always libpq's default port
//   :port                that port of libpq's own UNIX socket directory
//   inet:..., unix:...   the same; the prefix means nothing
//   postgresql://...     or postgres://...: a connection URI for libpq, kept whole
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace proxymux::pgsql {

// In the order in which hosts are preferred.
enum class HostKind { kUnixSocket, kTcp, kUri };

struct HostSpec {
  HostKind kind = HostKind::kTcp;
  std::string
      name;  // directory, host name or address without brackets, or the URI (may hold a password)
  std::uint16_t port = 0;  // 0: libpq's default

  // For logs: "[::1]:5432", "db1:5432", "unix:/run/postgresql", a URI without its password and
  // query.
  std::string DisplayName() const;

  friend bool operator==(const HostSpec&, const HostSpec&) = default;
};

// The error says what is wrong with the entry and what to write instead.
std::variant<HostSpec, std::string> ParseHost(std::string_view entry);

}  // namespace proxymux::pgsql
