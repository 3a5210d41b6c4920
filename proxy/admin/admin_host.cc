#include "proxy/admin/admin_host.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <strings.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <optional>
#include <string>

namespace proxymux::proxy {
namespace {

constexpr std::size_t kMostDigits = 5;  // of a port

bool IsPort(std::string_view text) {
  return !text.empty() && text.size() <= kMostDigits &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isdigit(c) != 0; });
}

std::optional<in_addr> V4(std::string_view text) {
  in_addr address{};
  if (inet_pton(AF_INET, std::string(text).c_str(), &address) != 1) return std::nullopt;
  return address;
}

std::optional<in6_addr> V6(std::string_view text) {
  in6_addr address{};
  if (inet_pton(AF_INET6, std::string(text).c_str(), &address) != 1) return std::nullopt;
  return address;
}

bool IsOwnV6(std::string_view text, std::string_view local_address) {
  const auto asked = V6(text);
  if (!asked) return false;
  const auto local = V6(local_address);
  return std::memcmp(&*asked, &in6addr_loopback, sizeof(*asked)) == 0 ||
         (local && std::memcmp(&*asked, &*local, sizeof(*asked)) == 0);
}

bool IsOwnV4(std::string_view text, std::string_view local_address) {
  const auto asked = V4(text);
  if (!asked) return false;
  const auto local = V4(local_address);
  return ntohl(asked->s_addr) >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET ||
         (local && local->s_addr == asked->s_addr);
}

bool IsLocalhost(std::string_view name) {
  constexpr std::string_view kName = "localhost";
  return name.size() == kName.size() && strncasecmp(name.data(), kName.data(), kName.size()) == 0;
}

}  // namespace

bool IsOwnHost(std::string_view host, std::string_view local_address) {
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    if (end == std::string_view::npos) return false;
    const std::string_view rest = host.substr(end + 1);
    const bool well_formed = rest.empty() || (rest.front() == ':' && IsPort(rest.substr(1)));
    return well_formed && IsOwnV6(host.substr(1, end - 1), local_address);
  }
  const std::size_t colon = host.find(':');
  const std::string_view name = host.substr(0, colon);
  if (colon != std::string_view::npos && !IsPort(host.substr(colon + 1))) return false;
  return IsLocalhost(name) || IsOwnV4(name, local_address);
}

}  // namespace proxymux::proxy
