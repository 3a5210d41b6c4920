#include "proxy/admin/admin_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>

namespace proxymux::proxy {
namespace {

// Room in sockaddr_un for the name, and for the process id that the temporary name ends in.
constexpr std::size_t kLongestPath = sizeof(sockaddr_un{}.sun_path) - 1 - sizeof(".4194304") + 1;

std::variant<AdminAddress, AdminAddressError> UnixAddress(std::string path) {
  if (path.size() > kLongestPath) {
    return AdminAddressError{
        fmt::format("the admin socket's name `{}' has {} bytes, at most {} are possible", path,
                    path.size(), kLongestPath)};
  }
  AdminAddress address;
  address.kind = AdminAddress::Kind::kUnix;
  address.path = std::move(path);
  return address;
}

bool IsNumericHost(const std::string& host, bool* is_v6) {
  unsigned char bytes[sizeof(in6_addr)];
  *is_v6 = inet_pton(AF_INET6, host.c_str(), bytes) == 1;
  return *is_v6 || inet_pton(AF_INET, host.c_str(), bytes) == 1;
}

AdminSocketAddress UnixName(const std::string& path) {
  AdminSocketAddress result;
  auto* name = reinterpret_cast<sockaddr_un*>(&result.storage);
  name->sun_family = AF_UNIX;
  std::memcpy(name->sun_path, path.data(), std::min(path.size(), sizeof(name->sun_path) - 1));
  result.size = sizeof(*name);
  return result;
}

AdminSocketAddress TcpName(const std::string& host, std::uint16_t port) {
  AdminSocketAddress result;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&result.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&result.storage);
  if (inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    result.size = sizeof(*v4);
  } else if (inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    result.size = sizeof(*v6);
  }
  return result;
}

}  // namespace

AdminSocketAddress NameOf(const AdminAddress& address) {
  switch (address.kind) {
    case AdminAddress::Kind::kOff:
      return {};
    case AdminAddress::Kind::kUnix:
      return UnixName(address.path);
    case AdminAddress::Kind::kTcp:
      return TcpName(address.host, address.port);
  }
  return {};
}

std::string AdminAddress::Text() const {
  switch (kind) {
    case Kind::kOff:
      return "off";
    case Kind::kUnix:
      return path;
    case Kind::kTcp:
      return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                                 : fmt::format("[{}]:{}", host, port);
  }
  return "";
}

std::variant<AdminAddress, AdminAddressError> ParseAdminAddress(std::string_view setting,
                                                                std::string_view data_directory,
                                                                std::string_view service_name) {
  if (setting.empty()) {
    std::string name(service_name);
    for (char& c : name) {
      if (c == '/') c = '_';
    }
    return UnixAddress(fmt::format("{}/proxymux-{}.sock", data_directory, name));
  }
  if (setting == "off") return AdminAddress{};
  if (setting.front() == '/') return UnixAddress(std::string(setting));

  const AdminAddressError malformed{
      fmt::format("`{}' is no admin address: expected `off', a socket's name that begins with `/', "
                  "ADDRESS:PORT or [V6-ADDRESS]:PORT with a numeric address",
                  setting)};
  const std::size_t colon = setting.rfind(':');
  if (colon == std::string_view::npos) return malformed;
  std::string_view host = setting.substr(0, colon);
  const std::string_view port = setting.substr(colon + 1);
  const bool brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (brackets) host = host.substr(1, host.size() - 2);

  AdminAddress address;
  address.kind = AdminAddress::Kind::kTcp;
  address.host = host;
  bool is_v6 = false;
  if (!IsNumericHost(address.host, &is_v6) || is_v6 != brackets) return malformed;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc{} || end != port.data() + port.size()) return malformed;
  return address;
}

}  // namespace proxymux::proxy
