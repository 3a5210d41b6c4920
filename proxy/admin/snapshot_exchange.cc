#include "proxy/admin/snapshot_exchange.h"

#include <utility>

namespace proxymux::proxy {

SnapshotExchange::SnapshotExchange(uv_loop_t* loop, std::function<ServiceStatus()> make)
    : make_(std::move(make)) {
  wake_.Open(loop, [this] { Make(); });
}

SnapshotExchange::~SnapshotExchange() = default;

std::optional<ServiceStatus> SnapshotExchange::Ask(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  if (closed_ || !wake_.is_open()) return std::nullopt;
  const std::uint64_t mine = ++asked_;
  wake_.Send();
  const bool in_time =
      made_.wait_for(lock, limit, [this, mine] { return closed_ || answered_ >= mine; });
  if (!in_time || answered_ < mine) return std::nullopt;
  return latest_;
}

void SnapshotExchange::Make() {
  std::unique_lock lock(mutex_);
  const std::uint64_t wanted = asked_;
  if (closed_ || wanted == answered_) return;
  lock.unlock();
  ServiceStatus snapshot = make_();
  lock.lock();
  latest_ = std::move(snapshot);
  answered_ = wanted;
  made_.notify_all();
}

void SnapshotExchange::Close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  made_.notify_all();
}

}  // namespace proxymux::proxy
