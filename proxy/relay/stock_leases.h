// Which client session has which stock connection for its `sequence` requests.
//
// A session takes a lease once and keeps it; the lease is bound to a slot (see stock_slots.h)
// from its first `first` until it has been idle for too long, the slot's connection is gone, or the
// session has ended. A slot is bound to one lease at most. Pure: time comes in as `now`.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace proxymux::proxy {

class StockLeases {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using LeaseId = std::uint64_t;
  static constexpr LeaseId kNoLease = 0;

  LeaseId Open();
  // Frees its slot, if it has one. Unknown leases are none of ours: nothing happens.
  void Close(LeaseId lease);

  bool IsOpen(LeaseId lease) const { return leases_.contains(lease); }
  std::optional<std::size_t> SlotOf(LeaseId lease) const;
  bool HasLease(std::size_t slot) const { return by_slot_.contains(slot); }
  std::size_t bound() const { return by_slot_.size(); }

  // `lease` is open and without a slot, `slot` without a lease.
  void Bind(LeaseId lease, std::size_t slot, Time now);
  // The lease, if it is open, uses that slot: its own, or one that it is bound to from here on.
  void Use(LeaseId lease, std::size_t slot, Time now);
  // The lease stays open; its position is lost.
  void Unbind(std::size_t slot);
  // The slot's lease, if it has one, was used.
  void Touch(std::size_t slot, Time now);

  // When the lease of that slot was used last; none when it has none.
  std::optional<Time> LastUsed(std::size_t slot) const;
  // The slots that have a lease, lowest first.
  std::vector<std::size_t> BoundSlots() const;

 private:
  struct Lease {
    std::optional<std::size_t> slot;
    Time last_used{};
  };

  std::map<LeaseId, Lease> leases_;
  std::map<std::size_t, LeaseId> by_slot_;
  LeaseId last_ = kNoLease;
};

}  // namespace proxymux::proxy
