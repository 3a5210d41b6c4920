#include "proxy/relay/stock_leases.h"

#include <cassert>

namespace proxymux::proxy {

StockLeases::LeaseId StockLeases::Open() {
  leases_.emplace(++last_, Lease{});
  return last_;
}

void StockLeases::Close(LeaseId lease) {
  const auto found = leases_.find(lease);
  if (found == leases_.end()) return;
  if (found->second.slot.has_value()) by_slot_.erase(*found->second.slot);
  leases_.erase(found);
}

std::optional<std::size_t> StockLeases::SlotOf(LeaseId lease) const {
  const auto found = leases_.find(lease);
  return found == leases_.end() ? std::nullopt : found->second.slot;
}

void StockLeases::Bind(LeaseId lease, std::size_t slot, Time now) {
  Lease& bound = leases_.at(lease);
  assert(!bound.slot.has_value());
  assert(!by_slot_.contains(slot));
  bound.slot = slot;
  bound.last_used = now;
  by_slot_.emplace(slot, lease);
}

void StockLeases::Use(LeaseId lease, std::size_t slot, Time now) {
  if (!IsOpen(lease)) return;
  if (SlotOf(lease).has_value()) {
    Touch(slot, now);
  } else {
    Bind(lease, slot, now);
  }
}

void StockLeases::Unbind(std::size_t slot) {
  const auto found = by_slot_.find(slot);
  if (found == by_slot_.end()) return;
  leases_.at(found->second).slot.reset();
  by_slot_.erase(found);
}

void StockLeases::Touch(std::size_t slot, Time now) {
  const auto found = by_slot_.find(slot);
  if (found != by_slot_.end()) leases_.at(found->second).last_used = now;
}

std::optional<StockLeases::Time> StockLeases::LastUsed(std::size_t slot) const {
  const auto found = by_slot_.find(slot);
  if (found == by_slot_.end()) return std::nullopt;
  return leases_.at(found->second).last_used;
}

std::vector<std::size_t> StockLeases::BoundSlots() const {
  std::vector<std::size_t> slots;
  for (const auto& [slot, lease] : by_slot_) slots.push_back(slot);
  return slots;
}

}  // namespace proxymux::proxy
