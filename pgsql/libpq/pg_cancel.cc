#include "pgsql/libpq/pg_cancel.h"

#include <atomic>
#include <utility>

#include "pgsql/libpq/pg_handles.h"

#ifdef LIBPQ_HAS_ASYNC_CANCEL
#include <chrono>
#include <list>
#else
#include <system_error>
#include <thread>
#endif

namespace proxymux::pgsql {
namespace {

// One of the requests that may be on their way; not taken when there are no more.
class Slot {
 public:
  Slot() : taken_(under_way_.fetch_add(1) < CancelRequests::kMost) {
    if (!taken_) under_way_.fetch_sub(1);
  }
  ~Slot() {
    if (taken_) under_way_.fetch_sub(1);
  }
  Slot(Slot&& other) noexcept : taken_(std::exchange(other.taken_, false)) {}
  Slot& operator=(Slot&&) = delete;

  bool taken() const { return taken_; }

 private:
  static inline std::atomic<int> under_way_{0};
  bool taken_;
};

}  // namespace

#ifdef LIBPQ_HAS_ASYNC_CANCEL

namespace {

// A server that has not taken a request by then will not answer its statement either.
constexpr Duration kPatience = std::chrono::seconds(10);

}  // namespace

class CancelRequests::Transport {
 public:
  explicit Transport(EventLoop* loop) : loop_(loop) {}

  bool Send(PGconn* connection) {
    Slot slot;
    if (!slot.taken()) return false;
    PgCancelHandle handle(PQcancelCreate(connection));
    if (handle == nullptr || PQcancelStart(handle.get()) != 1) return false;
    const auto request = requests_.insert(
        requests_.end(), Request{std::move(slot), std::move(handle), nullptr, nullptr});
    request->limit = loop_->NewTimer([this, request] { requests_.erase(request); });
    request->limit->Start(kPatience);
    Watch(request, PGRES_POLLING_WRITING);
    return true;
  }

 private:
  struct Request {
    Slot slot;
    PgCancelHandle handle;
    std::unique_ptr<SocketWatch> watch;  // goes before the socket
    std::unique_ptr<Timer> limit;
  };
  using Place = std::list<Request>::iterator;

  void Watch(Place request, PostgresPollingStatusType wants) {
    request->watch = loop_->WatchSocket(PQcancelSocket(request->handle.get()),
                                        [this, request](bool, bool) { Poll(request); });
    request->watch->SetInterest(wants == PGRES_POLLING_READING, wants == PGRES_POLLING_WRITING);
  }
  void Poll(Place request) {
    request->watch.reset();  // libpq may close this socket and open another one
    const PostgresPollingStatusType wants = PQcancelPoll(request->handle.get());
    switch (wants) {
      case PGRES_POLLING_READING:
      case PGRES_POLLING_WRITING:
        Watch(request, wants);
        return;
      case PGRES_POLLING_OK:
      case PGRES_POLLING_FAILED:  // shows as a statement that goes on
      case PGRES_POLLING_ACTIVE:
        requests_.erase(request);
        return;
    }
  }

  EventLoop* const loop_;
  std::list<Request> requests_;
};

#else

class CancelRequests::Transport {
 public:
  explicit Transport(EventLoop*) {}

  bool Send(PGconn* connection) {
    Slot slot;
    if (!slot.taken()) return false;
    PgCancelHandle handle(PQgetCancel(connection));
    if (handle == nullptr) return false;
    try {
      std::thread([slot = std::move(slot), handle = std::move(handle)] {
        char error[256];
        PQcancel(handle.get(), error,
                 sizeof(error));  // a failure shows as a statement that goes on
      }).detach();
    } catch (const std::system_error&) {
      return false;
    }
    return true;
  }
};

#endif

CancelRequests::CancelRequests(EventLoop* loop) : transport_(std::make_unique<Transport>(loop)) {}

CancelRequests::~CancelRequests() = default;

bool CancelRequests::Send(PGconn* connection) { return transport_->Send(connection); }

}  // namespace proxymux::pgsql
