// HTTP over accepted connections, for the admin server: libmicrohttpd, run by the caller's thread.
//
// One request per connection: GET and HEAD, and POST without a body over a UNIX socket; Range has
// no meaning here. On TCP the Host header must name us (admin_host.h). What is refused gets 400,
// 405, 421 or 431 without asking the handler. The handler may block: it holds up the other
// connections.
//
// Bounds: for a connection the memory of its request, and the time of the whole exchange; their
// number, where the oldest connection gives way to a new one, so that those who say nothing keep
// nobody out.
//
// Not thread-safe: one thread at a time.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace proxymux::proxy {

struct HttpRequest {
  enum class Method : std::uint8_t { kGet, kPost };  // HEAD is kGet, too
  Method method = Method::kGet;
  std::string_view path;                                       // without the query, decoded
  std::vector<std::pair<std::string, std::string>> arguments;  // of the query, decoded
  // The user of the process that connected to a UNIX socket; none: the connection came over TCP.
  std::optional<uid_t> peer;
};

struct HttpReply {
  unsigned status = 200;
  std::string content_type;
  std::string body;
  std::string allow = {};  // with 405: the methods that there are
};

class AdminHttp {
 public:
  using Clock = std::chrono::steady_clock;
  // Must not throw anything but std::exception, which is answered with 500.
  using Handler = std::function<HttpReply(const HttpRequest&)>;

  struct Limits {
    std::size_t connections = 32;
    std::size_t request_memory = 16 << 10;  // of each connection, the library's own share included
    std::chrono::milliseconds exchange{5000};
  };

  // Every answer of the handler's carries `X-Proxymux-Service: service_name`.
  AdminHttp(std::string service_name, Handler handler, const Limits& limits);
  ~AdminHttp();  // ends every connection
  AdminHttp(const AdminHttp&) = delete;
  AdminHttp& operator=(const AdminHttp&) = delete;

  // False when the system has no room for it; nothing else may be called then.
  bool usable() const;

  // Takes over a connected, non-blocking socket.
  void Add(int socket);
  // Does what can be done without waiting, and ends what took too long.
  void Run();
  // To wait for before the next Run(): readable, or the time is over.
  int fd() const;
  std::chrono::milliseconds LongestWait() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace proxymux::proxy
