// Which slot a request goes to, and which one a connection is made for. Pure: looks, and changes
// nothing.
//
// A table that is already being worked on leaves the last free slots (two of four and more, one of
// two or three) to other tables. A lease's slot is for its own requests; for lookups only when no
// other can be had. At most half of the slots are leased at once.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "proxy/relay/stock_leases.h"
#include "proxy/relay/stock_policy.h"
#include "proxy/relay/stock_requests.h"
#include "proxy/relay/stock_slots.h"

namespace proxymux::proxy {

class StockPlacement {
 public:
  using Time = std::chrono::steady_clock::time_point;

  enum class Kind {
    kSlot,     // goes to `slot`
    kOpenOne,  // to one that has yet to be opened
    kWait,     // for others to be done
    kLost,     // the connection that has the position of its sequence is gone
  };
  struct Choice {
    Kind kind;
    std::size_t slot = 0;
  };

  // All must outlive it.
  StockPlacement(const StockPolicy* policy, const StockSlots* slots, const StockLeases* leases,
                 const StockRequests* requests)
      : policy_(policy), slots_(slots), leases_(leases), requests_(requests) {}

  Choice Choose(const StockRequests::Request& request, Time now) const;

  // Best one whose connection is only too old, then one with a process, then none.
  std::optional<std::size_t> FindOpenable(Time now) const;

 private:
  bool LeavesRoom(const StockRequests::Request& request) const;
  Choice ChooseReady(const StockRequests::Request& request, Time now) const;

  const StockPolicy* const policy_;
  const StockSlots* const slots_;
  const StockLeases* const leases_;
  const StockRequests* const requests_;
};

}  // namespace proxymux::proxy
