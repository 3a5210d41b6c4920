#include "proxy/relay/stock_requests.h"

#include <utility>

namespace proxymux::proxy {

StockRequests::Id StockRequests::Add(Request request) {
  requests_.emplace(++last_, std::move(request));
  return last_;
}

StockRequests::LineName StockRequests::NameOf(const Request& request) {
  const bool lookup = request.step == SequenceStep::kNone;
  return {lookup ? StockLeases::kNoLease : request.lease, request.table};
}

void StockRequests::Wait(Id id) {
  const Request& request = requests_.at(id);
  waiting_.emplace(id, &request);
  Line& line = lines_[NameOf(request)];
  if (!line.empty()) heads_.erase(*line.begin());
  line.insert(id);
  heads_.insert(*line.begin());
}

bool StockRequests::StopWaiting(Id id) {
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) return false;
  const auto place = lines_.find(NameOf(*found->second));
  Line& line = place->second;
  heads_.erase(*line.begin());
  line.erase(id);
  if (line.empty()) {
    lines_.erase(place);
  } else {
    heads_.insert(*line.begin());
  }
  waiting_.erase(found);
  return true;
}

std::optional<StockRequests::Id> StockRequests::NextHead(Id id) const {
  const auto next = heads_.upper_bound(id);
  return next == heads_.end() ? std::nullopt : std::optional(*next);
}

void StockRequests::Start(Id id) {
  StopWaiting(id);
  Request& request = requests_.at(id);
  ++request.attempts;
  ++running_[request.table];
}

void StockRequests::Leave(Id id) {
  const auto running = running_.find(requests_.at(id).table);
  if (--running->second == 0) running_.erase(running);
}

void StockRequests::Remove(Id id) {
  StopWaiting(id);
  requests_.erase(id);
}

bool StockRequests::Abandon(Id id) {
  const auto found = requests_.find(id);
  if (found == requests_.end()) return false;
  if (StopWaiting(id)) {
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
  StopWaiting(id);
  return id;
}

std::vector<StockRequests::Id> StockRequests::TakeWaiting() {
  std::vector<Id> ids;
  lines_.clear();
  heads_.clear();
  for (const auto& [id, request] : std::exchange(waiting_, {})) ids.push_back(id);
  return ids;
}

}  // namespace proxymux::proxy
