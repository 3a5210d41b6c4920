// HTTP over accepted connections, for the admin server: libmicrohttpd, run by the caller's thread.
//
// One request per connection, GET and HEAD only; Range has no meaning here. On TCP the Host header
// must name us (admin_host.h). What is refused gets 400, 405, 421 or 431 without asking the
// handler. The handler may block: it holds up the other connections.
//
// Bounds: for a connection the memory of its request, and the time of the whole exchange; their
// number, where the oldest connection gives way to a new one, so that those who say nothing keep
// nobody out.
//
// Not thread-safe: one thread at a time.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace proxymux::proxy {

struct HttpReply {
  unsigned status = 200;
  std::string content_type;
  std::string body;
};

class AdminHttp {
 public:
  using Clock = std::chrono::steady_clock;
  // `path` without the query, decoded. Must not throw anything but std::exception, which is
  // answered with 500.
  using Handler = std::function<HttpReply(std::string_view path)>;

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
