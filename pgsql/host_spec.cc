#include "pgsql/host_spec.h"

#include <arpa/inet.h>

#include <charconv>

namespace proxymux::pgsql {
namespace {

bool TakePrefix(std::string_view prefix, std::string_view* text) {
  if (text->substr(0, prefix.size()) != prefix) return false;
  text->remove_prefix(prefix.size());
  return true;
}

bool IsUri(std::string_view text) {
  return TakePrefix("postgresql://", &text) || TakePrefix("postgres://", &text);
}

bool ParsePort(std::string_view text, std::uint16_t* port) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return false;
  if (value < 1 || value > 65535) return false;
  *port = static_cast<std::uint16_t>(value);
  return true;
}

// An IPv6 address, a zone behind '%' allowed.
bool IsIpv6(std::string_view text) {
  const std::string address(text.substr(0, text.find('%')));
  in6_addr parsed;
  return inet_pton(AF_INET6, address.c_str(), &parsed) == 1;
}

// What looks like a mistyped URI, or a part of one that was split at a comma.
bool MayHoldSecret(std::string_view entry) {
  return entry.find('@') != std::string_view::npos || entry.find("//") != std::string_view::npos ||
         entry.substr(0, 8) == "postgres";
}

}  // namespace

std::variant<HostSpec, std::string> ParseHost(std::string_view entry) {
  HostSpec host;
  if (IsUri(entry)) {
    host.kind = HostKind::kUri;
    host.name = entry;
    return host;
  }
  const std::string quoted = "\"" + std::string(entry) + "\"";
  std::string_view text = entry;
  if (!TakePrefix("inet:", &text)) TakePrefix("unix:", &text);
  if (text.empty() || text.front() == '/') {
    host.kind = HostKind::kUnixSocket;
    host.name = text;
    return host;
  }
  if (MayHoldSecret(entry)) {
    return std::string(
        "an entry (not shown, since it may hold a password) is neither a host nor a connection "
        "URI; "
        "write postgresql://..., with %2C for a comma in it");
  }
  const auto bad_port = [&](std::string_view port) {
    return quoted + ": \"" + std::string(port) + "\" is not a port; write a number from 1 to 65535";
  };

  if (text.front() == '[') {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos)
      return quoted + ": the ']' is missing; write [ADDRESS] or [ADDRESS]:PORT";
    host.name = text.substr(1, close - 1);
    if (!IsIpv6(host.name))
      return quoted + ": \"" + host.name + "\" is not an IPv6 address; only those go in brackets";
    std::string_view rest = text.substr(close + 1);
    if (rest.empty()) return host;
    if (rest.front() != ':')
      return quoted + ": write a colon and the port, or nothing, behind the ']'";
    rest.remove_prefix(1);
    if (!ParsePort(rest, &host.port)) return bad_port(rest);
    return host;
  }

  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    host.name = text;
    return host;
  }
  const std::string_view port = text.substr(colon + 1);
  host.name = text.substr(0, colon);
  if (host.name.find(':') != std::string::npos && !IsIpv6(host.name)) {
    return quoted + (IsIpv6(text) ? ": the port is missing; write [" + std::string(text) +
                                        "] for this address and the default port"
                                  : ": \"" + host.name +
                                        "\" is neither a host name nor an IPv6 address; write "
                                        "HOST:PORT or [ADDRESS]:PORT");
  }
  if (!ParsePort(port, &host.port)) return bad_port(port);
  if (host.name.empty()) host.kind = HostKind::kUnixSocket;  // ":5433" is that port's socket
  return host;
}

std::string HostSpec::DisplayName() const {
  const std::string port_text = port == 0 ? "" : ":" + std::to_string(port);
  switch (kind) {
    case HostKind::kUnixSocket:
      return "unix:" + name + port_text;
    case HostKind::kTcp:
      return (name.find(':') == std::string::npos ? name : "[" + name + "]") + port_text;
    case HostKind::kUri:
      break;
  }
  // The scheme, hosts and database; user names, passwords and options stay out.
  const std::size_t authority = name.find("://") + 3;
  const std::size_t question = name.find('?');
  const std::string_view rest = std::string_view(name).substr(
      authority, question == std::string::npos ? std::string::npos : question - authority);
  // A password may hold '@' and '/' that its writer did not encode: everything before the last '@'
  // goes.
  const std::size_t at = rest.rfind('@');
  return name.substr(0, authority) +
         std::string(at == std::string_view::npos ? rest : rest.substr(at + 1));
}

}  // namespace proxymux::pgsql
