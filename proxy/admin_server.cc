#include "proxy/admin_server.h"

#include <fmt/format.h>
#include <httplib.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "proxy/admin_socket.h"
#include "proxy/admin_stream.h"
#include "proxy/log.h"
#include "proxy/metrics_text.h"
#include "proxy/status_json.h"

namespace proxymux::proxy {
namespace {

constexpr int kWorkers = 2;
constexpr std::chrono::seconds kExchangeLimit{5};
constexpr std::chrono::seconds kListenAgain{1};
constexpr int kNoDescriptorsPauseMs = 200;
constexpr std::size_t kMaxRequest = 64 << 10;
constexpr char kPlainText[] = "text/plain; charset=utf-8";

// httplib's reading of requests and writing of answers, without its listener and threads.
class HttpExchange : public httplib::Server {
 public:
  void Serve(httplib::Stream& stream) {
    bool connection_closed = false;
    process_request(stream, /*close_connection=*/true, connection_closed, nullptr);
  }
};

void AnswerHealth(const ServiceStatus& status, httplib::Response& response) {
  if (status.state == ServiceState::kDraining) {
    response.status = 503;
    response.set_content("draining\n", kPlainText);
    return;
  }
  std::string body = status.degraded.empty() ? "ok\n" : "degraded\n";
  for (const std::string& reason : status.degraded) body += reason + "\n";
  response.set_content(body, kPlainText);
}

}  // namespace

class AdminServer::Impl {
 public:
  Impl(AdminAddress address, std::string service_name, SnapshotFunction snapshot, Logger* logger)
      : address_(std::move(address)),
        service_name_(std::move(service_name)),
        snapshot_(std::move(snapshot)),
        logger_(logger) {
    http_.set_default_headers(
        {{"X-Proxymux-Service", service_name_}, {"Cache-Control", "no-store"}});
    http_.set_pre_routing_handler(
        [this](const httplib::Request& request, httplib::Response& response) {
          Answer(request, response);
          return httplib::Server::HandlerResponse::Handled;
        });
  }

  ~Impl() { Stop(); }

  void Start() {
    if (address_.kind == AdminAddress::Kind::kOff || !workers_.empty()) return;
    stop_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (stop_fd_ < 0) {
      SetProblem("admin listener: no descriptor is left for it");
      return;
    }
    stopping_ = false;
    TryListen();
    for (int i = 0; i < kWorkers; ++i) {
      workers_.emplace_back([this, i] { Work(/*listens=*/i == 0); });
    }
  }

  void Stop() {
    if (stop_fd_ < 0) return;
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      if (socket_) socket_->RemoveName();
    }
    changed_.notify_all();
    const std::uint64_t one = 1;
    while (write(stop_fd_, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
    for (std::thread& worker : workers_) worker.join();
    workers_.clear();
    close(std::exchange(stop_fd_, -1));
    const std::lock_guard lock(mutex_);
    socket_.reset();
  }

  bool listening() const {
    const std::lock_guard lock(mutex_);
    return socket_ != nullptr;
  }

  std::string Problem() const {
    const std::lock_guard lock(mutex_);
    return problem_;
  }

  AdminAddress address() const {
    const std::lock_guard lock(mutex_);
    return socket_ ? socket_->address() : address_;
  }

 private:
  void SetProblem(const std::string& problem) {
    {
      const std::lock_guard lock(mutex_);
      if (problem_ == problem) return;
      problem_ = problem;
    }
    logger_->Warning(problem + "; lookups are not affected");
  }

  bool TryListen() {
    auto result = AdminSocket::Listen(address_, service_name_);
    if (const auto* error = std::get_if<AdminSocketError>(&result)) {
      SetProblem("admin listener: " + error->text);
      return false;
    }
    bool was_missing = false;
    {
      const std::lock_guard lock(mutex_);
      socket_ = std::make_unique<AdminSocket>(std::get<AdminSocket>(std::move(result)));
      was_missing = !problem_.empty();
      problem_.clear();
    }
    changed_.notify_all();
    if (was_missing) logger_->Info(fmt::format("admin listener: now on {}", address_.Text()));
    return true;
  }

  // One worker tries until there is a listener, the others wait for it. The descriptor, or -1 when
  // it is time to stop.
  int WaitForListener(bool listens) {
    std::unique_lock lock(mutex_);
    while (!stopping_ && socket_ == nullptr) {
      if (!listens) {
        changed_.wait(lock);
        continue;
      }
      if (changed_.wait_for(lock, kListenAgain, [this] { return stopping_; })) break;
      lock.unlock();
      TryListen();
      lock.lock();
    }
    return stopping_ ? -1 : socket_->fd();
  }

  void Work(bool listens) {
    const int listener = WaitForListener(listens);
    if (listener < 0) return;
    for (;;) {
      std::array<pollfd, 2> watched = {{{listener, POLLIN, 0}, {stop_fd_, POLLIN, 0}}};
      if (poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) return;
      if (watched[1].revents != 0) return;
      if (watched[0].revents == 0) continue;
      const int client = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (client >= 0) {
        Serve(client);
        close(client);
      } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        pollfd stop = {stop_fd_, POLLIN, 0};
        poll(&stop, 1, kNoDescriptorsPauseMs);
      }
    }
  }

  void Serve(int client) {
    AdminStream stream(client, stop_fd_, AdminStream::Clock::now() + kExchangeLimit, kMaxRequest);
    try {
      http_.Serve(stream);
    } catch (const std::exception& error) {
      logger_->Warning(fmt::format("admin listener: a request failed: {}", error.what()));
    }
    shutdown(client, SHUT_RDWR);
  }

  void Answer(const httplib::Request& request, httplib::Response& response) {
    response.status = 200;
    if (request.method != "GET" && request.method != "HEAD") {
      response.status = 405;
      response.set_header("Allow", "GET, HEAD");
      response.set_content("only GET and HEAD\n", kPlainText);
      return;
    }
    if (request.path == "/") {
      response.set_content("proxymux: /healthz /metrics /status.json\n", kPlainText);
      return;
    }
    const bool health = request.path == "/healthz";
    const bool metrics = request.path == "/metrics";
    if (!health && !metrics && request.path != "/status.json") {
      response.status = 404;
      response.set_content("there are /healthz, /metrics and /status.json\n", kPlainText);
      return;
    }
    const std::optional<ServiceStatus> status = snapshot_(kSnapshotLimit);
    if (!status) {
      response.status = 503;
      response.set_content("no answer from the event loop in time\n", kPlainText);
    } else if (health) {
      AnswerHealth(*status, response);
    } else if (metrics) {
      response.set_content(MetricsText(*status), kMetricsContentType);
    } else {
      response.set_content(StatusJson(*status), "application/json");
    }
  }

  const AdminAddress address_;
  const std::string service_name_;
  const SnapshotFunction snapshot_;
  Logger* const logger_;
  HttpExchange http_;  // used by several threads at once, read-only after construction
  int stop_fd_ = -1;   // readable once it is time to stop
  std::vector<std::thread> workers_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;                // guarded by mutex_, as all below
  std::unique_ptr<AdminSocket> socket_;  // set once between Start and Stop
  std::string problem_;
};

AdminServer::AdminServer(AdminAddress address, std::string service_name, SnapshotFunction snapshot,
                         Logger* logger)
    : impl_(std::make_unique<Impl>(std::move(address), std::move(service_name), std::move(snapshot),
                                   logger)) {}

AdminServer::~AdminServer() = default;

void AdminServer::Start() { impl_->Start(); }
void AdminServer::Stop() { impl_->Stop(); }
bool AdminServer::listening() const { return impl_->listening(); }
std::string AdminServer::Problem() const { return impl_->Problem(); }
AdminAddress AdminServer::address() const { return impl_->address(); }

}  // namespace proxymux::proxy
