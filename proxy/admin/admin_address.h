// Where the admin listener is: the setting `admin.listen`, and the --socket option of `proxymux
// ctl`.
//
// "" is the default socket, `$data_directory/proxymux-SERVICE.sock`; "off" is none; a word that
// begins with '/' is a UNIX socket; the rest is ADDRESS:PORT or [V6-ADDRESS]:PORT with a numeric
// address.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace proxymux::proxy {

struct AdminAddress {
  enum class Kind { kOff, kUnix, kTcp };
  Kind kind = Kind::kOff;
  std::string path;        // kUnix
  std::string host;        // kTcp: numeric, without brackets
  std::uint16_t port = 0;  // kTcp; 0 lets the kernel choose

  // As it was written: "/path", "127.0.0.1:9000", "[::1]:9000", "off".
  std::string Text() const;

  friend bool operator==(const AdminAddress&, const AdminAddress&) = default;
};

struct AdminAddressError {
  std::string text;
};

// An address as bind(2) and connect(2) want it. A path that is too long is cut: ParseAdminAddress()
// lets none through.
struct AdminSocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;  // 0: the address is off, or its host is not numeric

  int family() const { return storage.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};
AdminSocketAddress NameOf(const AdminAddress& address);

// A '/' in the service's name becomes '_' in the default socket's name.
std::variant<AdminAddress, AdminAddressError> ParseAdminAddress(std::string_view setting,
                                                                std::string_view data_directory,
                                                                std::string_view service_name);

}  // namespace proxymux::proxy
