#include "proxy/admin_client.h"

#include <fmt/format.h>
#include <httplib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

namespace proxymux::proxy {
namespace {

// httplib does not say why it could not connect: this does, for a UNIX socket.
std::optional<AdminClientError> WhyUnreachable(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.size() >= sizeof(name.sun_path)) {
    return AdminClientError{fmt::format("the socket's name {} is too long", path)};
  }
  std::memcpy(name.sun_path, path.c_str(), path.size() + 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return AdminClientError{fmt::format("socket: {}", std::strerror(errno))};
  const int result = connect(fd, reinterpret_cast<const sockaddr*>(&name), sizeof(name));
  const int error = errno;
  close(fd);
  if (result == 0) return std::nullopt;
  switch (error) {
    case ENOENT:
      return AdminClientError{fmt::format(
          "there is no socket {}: is the service running, and is its admin listener there?", path)};
    case ECONNREFUSED:
      return AdminClientError{
          fmt::format("nobody listens on {}: the service is not running", path)};
    case EACCES:
      return AdminClientError{fmt::format(
          "no permission to connect to {}: run this as root or as the mail owner", path)};
    case EAGAIN:
      return AdminClientError{fmt::format("too many connections wait for an answer on {}", path)};
    default:
      return AdminClientError{fmt::format("cannot connect to {}: {}", path, std::strerror(error))};
  }
}

}  // namespace

std::variant<AdminReply, AdminClientError> AdminGet(const AdminAddress& address,
                                                    const std::string& path,
                                                    std::chrono::milliseconds limit) {
  std::string host;
  int port = 80;  // stands for nothing on a UNIX socket
  switch (address.kind) {
    case AdminAddress::Kind::kOff:
      return AdminClientError{"the admin listener is switched off (setting admin.listen)"};
    case AdminAddress::Kind::kUnix:
      if (auto why = WhyUnreachable(address.path)) return *why;
      host = address.path;
      break;
    case AdminAddress::Kind::kTcp:
      host = address.host;
      port = address.port;
      break;
  }

  httplib::Client client(host, port);
  if (address.kind == AdminAddress::Kind::kUnix) client.set_address_family(AF_UNIX);
  client.set_connection_timeout(limit);
  client.set_read_timeout(limit);
  client.set_write_timeout(limit);
  const httplib::Result result =
      client.Get(path.c_str(), httplib::Headers{{"Host", "localhost"}, {"Connection", "close"}});
  if (!result) {
    switch (result.error()) {
      case httplib::Error::Connection:
      case httplib::Error::ConnectionTimeout:
        return AdminClientError{
            fmt::format("cannot connect to {}: is the service running?", address.Text())};
      default:
        return AdminClientError{fmt::format("no answer from {} within {} ms ({})", address.Text(),
                                            limit.count(), httplib::to_string(result.error()))};
    }
  }
  return AdminReply{result->status, result->get_header_value("X-Proxymux-Service"), result->body};
}

}  // namespace proxymux::proxy
