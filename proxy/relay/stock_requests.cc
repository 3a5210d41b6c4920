#include "proxy/relay/stock_requests.h"

#include <utility>

namespace proxymux::proxy {

StockRequests::Id StockRequests::Add(Request request) {
  requests_.emplace(++last_, std::move(request));
  return last_;
}

void StockRequests::Wait(Id id) { waiting_.emplace(id, &requests_.at(id)); }

void StockRequests::Start(Id id) {
  waiting_.erase(id);
  Request& request = requests_.at(id);
  ++request.attempts;
  ++running_[request.table];
}

void StockRequests::Leave(Id id) {
  const auto running = running_.find(requests_.at(id).table);
  if (--running->second == 0) running_.erase(running);
}

void StockRequests::Remove(Id id) {
  waiting_.erase(id);
  requests_.erase(id);
}

bool StockRequests::Abandon(Id id) {
  const auto found = requests_.find(id);
  if (found == requests_.end()) return false;
  if (waiting_.erase(id) > 0) {
    requests_.erase(found);
    return true;
  }
  found->second.abandoned = true;
  return false;
}

std::optional<StockRequests::Id> StockRequests::TakeExpired(Time now) {
  // Numbers rise with deadlines, so the first that is not due ends the search; a policy with a
  // shorter timeout delays at most by the older timeout.
  if (waiting_.empty() || waiting_.begin()->second->deadline > now) return std::nullopt;
  const Id id = waiting_.begin()->first;
  waiting_.erase(waiting_.begin());
  return id;
}

std::vector<StockRequests::Id> StockRequests::TakeWaiting() {
  std::vector<Id> ids;
  for (const auto& [id, request] : std::exchange(waiting_, {})) ids.push_back(id);
  return ids;
}

}  // namespace proxymux::proxy
