// The requests of the relay, by number: those that wait, oldest first, and those that a slot works
// on, by table. Pure: which of them goes where is StockScheduler's to decide.
//
// A request is added, waits, is started on a slot, leaves it, and is then removed, or waits again.
// One that its client gave up while it waited is gone at once; on a slot it stays, marked, until
// the slot has done with it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "proxy/relay/relay.h"
#include "proxy/relay/stock_leases.h"

namespace proxymux::proxy {

class StockRequests {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Id = std::uint64_t;

  struct Request {
    std::string table;
    SequenceStep step;
    StockLeases::LeaseId lease;
    Time deadline;
    int attempts = 0;        // slots that it was started on
    bool abandoned = false;  // by its client, while on a slot
  };
  using Waiting = std::map<Id, const Request*>;  // oldest first

  Id Add(Request request);
  void Wait(Id id);
  void Start(Id id);  // it may have waited
  void Leave(Id id);  // its slot
  void Remove(Id id);

  // Whether it waited, and is gone now.
  bool Abandon(Id id);

  const Request& Get(Id id) const { return requests_.at(id); }
  const Waiting& waiting() const { return waiting_; }
  bool WorkedOn(const std::string& table) const { return running_.contains(table); }

  // The oldest that waits, when its time is over: it waits no more.
  std::optional<Id> TakeExpired(Time now);
  // All that wait: they wait no more.
  std::vector<Id> TakeWaiting();

 private:
  std::map<Id, Request> requests_;  // waiting and running
  Waiting waiting_;
  std::map<std::string, std::size_t> running_;  // by table
  Id last_ = 0;
};

}  // namespace proxymux::proxy
