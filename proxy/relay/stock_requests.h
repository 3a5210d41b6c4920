// The requests of the relay, by number: those that wait, oldest first, and those that a slot works
// on, by table. Pure: which of them goes where is StockScheduler's to decide.
//
// A request is added, waits, is started on a slot, leaves it, and is then removed, or waits again.
// One that its client gave up while it waited is gone at once; on a slot it stays, marked, until
// the slot has done with it.
//
// What waits stands in lines, of which only the heads need to be looked at: what is true of a
// line's head, such as that its table has slots enough, is true of all behind it. The lookups of a
// table are one line; the requests of a `sequence`, which have a slot of their own, are another.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
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
  using Line = std::set<Id>;                     // oldest first

  Id Add(Request request);
  void Wait(Id id);
  void Start(Id id);  // it may have waited
  void Leave(Id id);  // its slot
  void Remove(Id id);

  // Whether it waited, and is gone now.
  bool Abandon(Id id);

  const Request& Get(Id id) const { return requests_.at(id); }
  const Waiting& waiting() const { return waiting_; }
  // Of the heads of the lines the oldest that came after `id`.
  std::optional<Id> NextHead(Id id) const;
  // The line that `id` waits in.
  const Line& LineOf(Id id) const { return lines_.at(NameOf(requests_.at(id))); }
  bool WorkedOn(const std::string& table) const { return running_.contains(table); }

  // The oldest that waits, when its time is over: it waits no more.
  std::optional<Id> TakeExpired(Time now);
  // All that wait: they wait no more.
  std::vector<Id> TakeWaiting();

 private:
  using LineName = std::pair<StockLeases::LeaseId, std::string>;  // the lease's, or none; the table

  static LineName NameOf(const Request& request);
  bool StopWaiting(Id id);  // whether it waited

  std::map<Id, Request> requests_;  // waiting and running
  Waiting waiting_;
  std::map<LineName, Line> lines_;              // of waiting_; none is empty
  std::set<Id> heads_;                          // of lines_
  std::map<std::string, std::size_t> running_;  // by table
  Id last_ = 0;
};

}  // namespace proxymux::proxy
