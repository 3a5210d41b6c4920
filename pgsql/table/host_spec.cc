#include "pgsql/table/host_spec.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <utility>

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

namespace {

// Where the pieces end that a URI, or what was meant for one, was cut into; `first` when it is
// whole. A piece with an '@' that is no URI ends one that began before; a host that can be used as
// it stands begins none.
std::size_t LastPiece(const std::vector<std::string>& entries, std::size_t first) {
  const bool may_begin_one = IsUri(entries[first]) || MayHoldSecret(entries[first]) ||
                             std::holds_alternative<std::string>(ParseHost(entries[first]));
  if (!may_begin_one) return first;
  std::size_t last = first;
  for (std::size_t i = first + 1; i < entries.size() && !IsUri(entries[i]); ++i) {
    if (entries[i].find('@') != std::string::npos) last = i;
  }
  return last;
}

}  // namespace

ParsedHosts ParseHosts(const std::vector<std::string>& entries) {
  ParsedHosts result;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (const std::size_t last = LastPiece(entries, i); last > i) {
      result.faults.emplace_back(
          "a connection URI is cut in pieces by a comma or white space (they are not shown, since "
          "they may hold a password): write %2C for a comma and %20 for a blank");
      i = last;
      continue;
    }
    auto parsed = ParseHost(entries[i]);
    if (auto* host = std::get_if<HostSpec>(&parsed)) {
      result.hosts.push_back(std::move(*host));
    } else {
      result.faults.push_back(std::get<std::string>(std::move(parsed)));
    }
  }
  return result;
}

Showable WhetherToShow(std::string_view text) {
  if (IsUri(text)) {
    text.remove_prefix(text.find("//") + 2);
    const std::size_t end = text.find_first_of("@/");
    if (end == std::string_view::npos) return Showable::kYes;
    const bool stray = text.find('@', end + 1) != std::string_view::npos;
    return stray ? Showable::kStrayAt : Showable::kYes;
  }
  // A connection string of `name=value` says itself what is what.
  if (text.find('=') != std::string_view::npos) return Showable::kYes;
  const std::size_t colon = std::min(text.find(':'), text.size());
  const bool mistyped =
      text.find("//") != std::string_view::npos || text.find('@', colon) != std::string_view::npos;
  return mistyped ? Showable::kMistypedUri : Showable::kYes;
}

}  // namespace proxymux::pgsql
