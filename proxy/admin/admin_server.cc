#include "proxy/admin/admin_server.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>

#include "proxy/admin/admin_http.h"
#include "proxy/admin/admin_socket.h"
#include "proxy/log/log.h"
#include "proxy/status/metrics_text.h"
#include "proxy/status/status_json.h"

namespace proxymux::proxy {
namespace {

using std::chrono::milliseconds;
using Clock = AdminHttp::Clock;

constexpr milliseconds kListenAgain{1000};
constexpr milliseconds kNoDescriptorsPause{200};
// A loop that did not answer is not asked again at once: those who wait behind are told the same.
constexpr milliseconds kAskAgain{500};
constexpr char kPlainText[] = "text/plain; charset=utf-8";
constexpr char kLoopIsLate[] = "no answer from the event loop in time\n";

// `strict`: for what takes a service out of use, and looks at the number only.
HttpReply HealthReply(const ServiceStatus& status, bool strict) {
  if (status.state == ServiceState::kDraining) return {503, kPlainText, "draining\n"};
  if (status.degraded.empty()) return {200, kPlainText, "ok\n"};
  std::string body = "degraded\n";
  for (const std::string& reason : status.degraded) body += reason + "\n";
  return {strict ? 503U : 200U, kPlainText, std::move(body)};
}

bool Has(const HttpRequest& request, std::string_view argument) {
  return std::ranges::any_of(request.arguments,
                             [&](const auto& given) { return given.first == argument; });
}

}  // namespace

class AdminServer::Impl {
 public:
  Impl(AdminAddress address, std::string service_name, Functions functions, Logger* logger)
      : address_(std::move(address)),
        service_name_(std::move(service_name)),
        functions_(std::move(functions)),
        logger_(logger) {}

  ~Impl() { Stop(); }

  void Start() {
    if (address_.kind == AdminAddress::Kind::kOff || thread_.joinable()) return;
    stop_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    http_ = std::make_unique<AdminHttp>(
        service_name_, [this](const HttpRequest& request) { return Answer(request); },
        AdminHttp::Limits{});
    if (stop_fd_ < 0 || !http_->usable()) {
      SetProblem("admin listener: no descriptor or memory is left for it");
      return;
    }
    TryListen();
    thread_ = std::thread([this] { Work(); });
  }

  void Stop() {
    if (thread_.joinable()) {
      {
        const std::lock_guard lock(mutex_);
        if (socket_) socket_->RemoveName();
      }
      const std::uint64_t one = 1;
      while (write(stop_fd_, &one, sizeof(one)) < 0 && errno == EINTR) {
      }
      thread_.join();
    }
    http_.reset();
    if (stop_fd_ >= 0) close(std::exchange(stop_fd_, -1));
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

  void TryListen() {
    auto result = AdminSocket::Listen(address_, service_name_);
    if (const auto* error = std::get_if<AdminSocketError>(&result)) {
      SetProblem("admin listener: " + error->text);
      return;
    }
    bool was_missing = false;
    {
      const std::lock_guard lock(mutex_);
      socket_ = std::make_unique<AdminSocket>(std::get<AdminSocket>(std::move(result)));
      was_missing = !problem_.empty();
      problem_.clear();
    }
    if (was_missing) logger_->Info(fmt::format("admin listener: now on {}", address_.Text()));
  }

  // The thread. Only it changes socket_ between Start and Stop, and so may read it without the
  // mutex.
  void Work() {
    while (socket_ == nullptr) {
      pollfd stop = {stop_fd_, POLLIN, 0};
      if (poll(&stop, 1, static_cast<int>(kListenAgain.count())) > 0) return;
      TryListen();
    }
    Clock::time_point accept_from{};  // later than now after descriptors ran out
    for (;;) {
      const auto pause = std::chrono::ceil<milliseconds>(accept_from - Clock::now());
      const bool accepts = pause.count() <= 0;
      const milliseconds wait =
          accepts ? http_->LongestWait() : std::min(http_->LongestWait(), pause);
      std::array<pollfd, 3> watched = {{{stop_fd_, POLLIN, 0},
                                        {http_->fd(), POLLIN, 0},
                                        {accepts ? socket_->fd() : -1, POLLIN, 0}}};
      poll(watched.data(), watched.size(), static_cast<int>(wait.count()));
      if (watched[0].revents != 0) return;
      if (watched[2].revents != 0 && !Accept()) accept_from = Clock::now() + kNoDescriptorsPause;
      http_->Run();
    }
  }

  // False when the system has no room for another connection.
  bool Accept() {
    const int client = accept4(socket_->fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client >= 0) {
      http_->Add(client);
      return true;
    }
    return errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM;
  }

  std::optional<ServiceStatus> Snapshot() {
    if (Clock::now() < ask_from_) return std::nullopt;
    std::optional<ServiceStatus> status = functions_.snapshot(kLoopLimit);
    if (!status) ask_from_ = Clock::now() + kAskAgain;
    return status;
  }

  HttpReply Answer(const HttpRequest& request) {
    const std::string_view path = request.path;
    if (path.starts_with(kControlPath)) return Control(request);
    if (request.method != HttpRequest::Method::kGet) {
      return {405, kPlainText, "only GET and HEAD\n", "GET, HEAD"};
    }
    if (path == "/") return {200, kPlainText, "proxymux: /healthz /metrics /status.json\n"};
    const bool health = path == "/healthz";
    const bool metrics = path == "/metrics";
    if (!health && !metrics && path != "/status.json") {
      return {404, kPlainText, "there are /healthz, /metrics and /status.json\n"};
    }
    const std::optional<ServiceStatus> status = Snapshot();
    if (!status) return {503, kPlainText, kLoopIsLate};
    if (health) return HealthReply(*status, Has(request, "strict"));
    if (metrics) return {200, kMetricsContentType, MetricsText(*status)};
    return {200, "application/json", StatusJson(*status)};
  }

  HttpReply Control(const HttpRequest& request) const {
    if (request.method != HttpRequest::Method::kPost) {
      return {405, kPlainText, "commands are for POST, over the UNIX socket\n", "POST"};
    }
    if (request.peer != 0U && request.peer != geteuid()) {
      return {403, kPlainText, "only root and the mail owner may do that\n"};
    }
    ControlRequest command;
    command.command = request.path.substr(kControlPath.size());
    for (const auto& [name, value] : request.arguments) {
      if (command.arguments.emplace(name, value).second) continue;
      return {400, kPlainText, "an argument is there twice: " + name + "\n"};
    }
    std::optional<ControlReply> reply = functions_.control(command, kLoopLimit);
    if (!reply) return {503, kPlainText, kLoopIsLate};
    return {HttpStatusOf(reply->outcome), kPlainText, std::move(reply->text)};
  }

  const AdminAddress address_;
  const std::string service_name_;
  const Functions functions_;
  Logger* const logger_;
  int stop_fd_ = -1;                 // readable once it is time to stop
  std::unique_ptr<AdminHttp> http_;  // of the thread, as long as there is one
  Clock::time_point ask_from_{};     // of the thread
  std::thread thread_;

  mutable std::mutex mutex_;
  std::unique_ptr<AdminSocket> socket_;  // guarded by mutex_, as all below
  std::string problem_;
};

AdminServer::AdminServer(AdminAddress address, std::string service_name, Functions functions,
                         Logger* logger)
    : impl_(std::make_unique<Impl>(std::move(address), std::move(service_name),
                                   std::move(functions), logger)) {}

AdminServer::~AdminServer() = default;

void AdminServer::Start() { impl_->Start(); }
void AdminServer::Stop() { impl_->Stop(); }
bool AdminServer::listening() const { return impl_->listening(); }
std::string AdminServer::Problem() const { return impl_->Problem(); }
AdminAddress AdminServer::address() const { return impl_->address(); }

}  // namespace proxymux::proxy
