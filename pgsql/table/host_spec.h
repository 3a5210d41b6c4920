// One entry of the `hosts` setting of a pgsql_table(5), parsed. Looks nothing up.
//
// clang-format off
//   host, host:port      a TCP host name or address; split at the last colon: ::1:5432 is port 5432
//                        of the address ::1
//   [::1], [::1]:5432    an IPv6 address in brackets (stock cannot read these)
//   /directory, empty    a UNIX socket directory (empty: libpq's own), always libpq's default port
//   :port                that port of libpq's own UNIX socket directory
//   inet:..., unix:...   the same as without the prefix, which means nothing
//   postgresql://...     or postgres://...: a connection URI for libpq, kept whole
// clang-format on
//
// A URI may hold a password, and a password may hold what its writer should have encoded: nothing
// of an entry is shown where that could show a part of a password. White space and commas separate
// entries, so a password with a blank or a comma in it makes several entries of one URI.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace proxymux::pgsql {

// Instead of a host's name that must not be shown.
inline constexpr char kHiddenHost[] = "hidden-uri";

// In the order in which hosts are preferred.
enum class HostKind { kUnixSocket, kTcp, kUri };

struct HostSpec {
  HostKind kind = HostKind::kTcp;
  std::string
      name;  // directory, host name or address without brackets, or the URI (may hold a password)
  std::uint16_t port = 0;  // 0: libpq's default

  friend bool operator==(const HostSpec&, const HostSpec&) = default;
};

// The error says what is wrong with the entry and what to write instead.
std::variant<HostSpec, std::string> ParseHost(std::string_view entry);

struct ParsedHosts {
  std::vector<HostSpec> hosts;      // in order
  std::vector<std::string> faults;  // of the entries that cannot be used
};

// All entries of a `hosts` setting. Entries that one URI may have been split into are one fault.
ParsedHosts ParseHosts(const std::vector<std::string>& entries);

// Whether what libpq makes of a host's name or of the `dbname` setting may be shown.
enum class Showable {
  kYes,
  // An '@' behind the end of user and password, as libpq finds it: what it takes for a host or a
  // database may be a part of the password.
  kStrayAt,
  kMistypedUri,  // a plain name for libpq, but it looks like a URI
};
Showable WhetherToShow(std::string_view name_or_dbname);

}  // namespace proxymux::pgsql
