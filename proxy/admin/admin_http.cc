#include "proxy/admin/admin_http.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <strings.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "proxy/admin/admin_host.h"

namespace proxymux::proxy {
namespace {

using std::chrono::milliseconds;

constexpr char kPlainText[] = "text/plain; charset=utf-8";
// With none to end sooner there is no deadline either.
constexpr milliseconds kIdleWait{60'000};

struct ResponseEnd {
  void operator()(MHD_Response* response) const { MHD_destroy_response(response); }
};
using Response = std::unique_ptr<MHD_Response, ResponseEnd>;

// Numeric, without brackets; empty for a UNIX socket.
std::string LocalAddress(int socket) {
  sockaddr_storage name{};
  socklen_t size = sizeof(name);
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&name), &size) != 0) return "";
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* address = nullptr;
  if (name.ss_family == AF_INET) address = &reinterpret_cast<sockaddr_in*>(&name)->sin_addr;
  if (name.ss_family == AF_INET6) address = &reinterpret_cast<sockaddr_in6*>(&name)->sin6_addr;
  if (address == nullptr) return "";
  inet_ntop(name.ss_family, address, text.data(), text.size());
  return text.data();
}

int SocketOf(MHD_Connection* connection) {
  return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

std::vector<std::string> HostsOf(MHD_Connection* connection) {
  std::vector<std::string> hosts;
  MHD_get_connection_values(
      connection, MHD_HEADER_KIND,
      [](void* all, MHD_ValueKind, const char* name, const char* value) {
        if (strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0) {
          static_cast<std::vector<std::string>*>(all)->emplace_back(value == nullptr ? "" : value);
        }
        return MHD_YES;
      },
      &hosts);
  return hosts;
}

std::vector<std::pair<std::string, std::string>> ArgumentsOf(MHD_Connection* connection) {
  std::vector<std::pair<std::string, std::string>> arguments;
  MHD_get_connection_values_n(
      connection, MHD_GET_ARGUMENT_KIND,
      [](void* all, MHD_ValueKind, const char* name, std::size_t name_size, const char* value,
         std::size_t value_size) {
        static_cast<std::vector<std::pair<std::string, std::string>>*>(all)->emplace_back(
            std::string(name, name_size),
            value == nullptr ? std::string() : std::string(value, value_size));
        return MHD_YES;
      },
      &arguments);
  return arguments;
}

// unix(7): as it was when the other side connected.
std::optional<uid_t> PeerOf(int socket) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  sockaddr_storage name{};
  socklen_t name_size = sizeof(name);
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&name), &name_size) != 0 ||
      name.ss_family != AF_UNIX || getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return std::nullopt;
  }
  return peer.uid;
}

bool IsGet(std::string_view method) {
  return method == MHD_HTTP_METHOD_GET || method == MHD_HTTP_METHOD_HEAD;
}

// Why the request is not even looked at. A web page can make a browser send a POST to any address,
// and none to a UNIX socket.
std::optional<HttpReply> Refusal(MHD_Connection* connection, std::string_view method,
                                 bool over_unix) {
  if (!IsGet(method) && !(over_unix && method == MHD_HTTP_METHOD_POST)) {
    return HttpReply{MHD_HTTP_METHOD_NOT_ALLOWED, kPlainText, "only GET and HEAD\n", "GET, HEAD"};
  }
  const std::vector<std::string> hosts = HostsOf(connection);
  if (hosts.size() > 1) {
    return HttpReply{MHD_HTTP_BAD_REQUEST, kPlainText, "more than one Host\n"};
  }
  // Without Host it is HTTP/1.0, which no browser speaks: the library refuses it in HTTP/1.1.
  const std::string local = LocalAddress(SocketOf(connection));
  if (local.empty() || hosts.empty() || IsOwnHost(hosts[0], local)) return std::nullopt;
  return HttpReply{
      MHD_HTTP_MISDIRECTED_REQUEST, kPlainText,
      "the Host of the request is not this listener: ask for localhost, or for " + local + "\n"};
}

}  // namespace

class AdminHttp::Impl {
 public:
  Impl(std::string service_name, Handler handler, const Limits& limits)
      : service_name_(std::move(service_name)), handler_(std::move(handler)), limits_(limits) {
    // One connection more than we let in: the one that gives way may still be there.
    daemon_ = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, 0, nullptr, nullptr, &Impl::OnRequest, this,
        MHD_OPTION_CONNECTION_LIMIT, static_cast<unsigned>(limits.connections + 1),
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, limits.request_memory, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_NOTIFY_CONNECTION, &Impl::OnConnection, this, MHD_OPTION_END);
  }
  ~Impl() {
    if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
  }

  bool usable() const { return daemon_ != nullptr; }

  void Add(int socket) {
    if (open_.size() >= limits_.connections) {
      shutdown(open_.front().socket, SHUT_RDWR);
      MHD_run(daemon_);
    }
    sockaddr_storage peer{};
    socklen_t size = sizeof(peer);
    getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size);
    MHD_add_connection(daemon_, socket, reinterpret_cast<const sockaddr*>(&peer), size);
  }

  void Run() {
    const Clock::time_point now = Clock::now();
    // In the order in which they came, so the first ones are over first.
    for (const Open& open : open_) {
      if (open.deadline > now) break;
      shutdown(open.socket, SHUT_RDWR);
    }
    MHD_run(daemon_);
  }

  int fd() const { return MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd; }

  milliseconds LongestWait() const {
    milliseconds wait = kIdleWait;
    if (!open_.empty()) {
      wait = std::chrono::ceil<milliseconds>(open_.front().deadline - Clock::now());
    }
    MHD_UNSIGNED_LONG_LONG timeout = 0;
    if (MHD_get_timeout(daemon_, &timeout) == MHD_YES) {
      wait = std::min(wait, milliseconds(timeout));
    }
    return std::max(wait, milliseconds(0));
  }

 private:
  struct Open {
    int socket;
    Clock::time_point deadline;
  };

  static void OnConnection(void* self, MHD_Connection* connection, void**,
                           MHD_ConnectionNotificationCode code) {
    auto& impl = *static_cast<Impl*>(self);
    const int socket = SocketOf(connection);
    switch (code) {
      case MHD_CONNECTION_NOTIFY_STARTED:
        impl.open_.push_back({socket, Clock::now() + impl.limits_.exchange});
        return;
      case MHD_CONNECTION_NOTIFY_CLOSED:
        std::erase_if(impl.open_, [socket](const Open& open) { return open.socket == socket; });
        return;
    }
  }

  // Called with the headers; what is answered then needs no body, and none is read.
  static MHD_Result OnRequest(void* self, MHD_Connection* connection, const char* url,
                              const char* method, const char*, const char*, std::size_t*, void**) {
    auto& impl = *static_cast<Impl*>(self);
    HttpRequest request;
    request.method = IsGet(method) ? HttpRequest::Method::kGet : HttpRequest::Method::kPost;
    request.path = url;
    request.arguments = ArgumentsOf(connection);
    request.peer = PeerOf(SocketOf(connection));
    std::optional<HttpReply> reply = Refusal(connection, method, request.peer.has_value());
    if (!reply) {
      try {
        reply = impl.handler_(request);
      } catch (const std::exception& error) {
        reply = HttpReply{MHD_HTTP_INTERNAL_SERVER_ERROR, kPlainText,
                          std::string("the request failed: ") + error.what() + "\n"};
      }
    }
    return impl.Send(connection, *reply);
  }

  MHD_Result Send(MHD_Connection* connection, const HttpReply& reply) const {
    const Response response(MHD_create_response_from_buffer(
        reply.body.size(), const_cast<char*>(reply.body.data()), MHD_RESPMEM_MUST_COPY));
    if (response == nullptr) return MHD_NO;
    const auto add = [&response](const char* name, const char* value) {
      MHD_add_response_header(response.get(), name, value);
    };
    add(MHD_HTTP_HEADER_CONTENT_TYPE, reply.content_type.c_str());
    add(MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    add(MHD_HTTP_HEADER_CONNECTION, "close");
    add("X-Proxymux-Service", service_name_.c_str());
    if (!reply.allow.empty()) add(MHD_HTTP_HEADER_ALLOW, reply.allow.c_str());
    return MHD_queue_response(connection, reply.status, response.get());
  }

  const std::string service_name_;
  const Handler handler_;
  const Limits limits_;
  MHD_Daemon* daemon_ = nullptr;
  std::vector<Open> open_;  // connections, the oldest first
};

AdminHttp::AdminHttp(std::string service_name, Handler handler, const Limits& limits)
    : impl_(std::make_unique<Impl>(std::move(service_name), std::move(handler), limits)) {}

AdminHttp::~AdminHttp() = default;

bool AdminHttp::usable() const { return impl_->usable(); }
void AdminHttp::Add(int socket) { impl_->Add(socket); }
void AdminHttp::Run() { impl_->Run(); }
int AdminHttp::fd() const { return impl_->fd(); }
milliseconds AdminHttp::LongestWait() const { return impl_->LongestWait(); }

}  // namespace proxymux::proxy
