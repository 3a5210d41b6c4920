#include "pgsql/work/work_store.h"

#include <algorithm>
#include <string>

namespace proxymux::pgsql {
namespace {

// A key's memory that is kept with its work.
constexpr std::size_t kKeptKey = 4096;

}  // namespace

Work* WorkStore::Take() {
  if (free_.empty()) {
    all_.push_back(std::make_unique<Slot>());
    all_.back()->index = all_.size() - 1;
    return all_.back().get();
  }
  Slot* const slot = free_.back();
  free_.pop_back();
  return slot;
}

void WorkStore::GiveBack(Work* work) {
  Slot* const slot = static_cast<Slot*>(work);
  if (free_.size() < kSpare) {
    slot->sink = nullptr;
    slot->binding.reset();
    if (slot->key.capacity() > kKeptKey) std::string().swap(slot->key);
    free_.push_back(slot);
    return;
  }
  all_.back()->index = slot->index;
  std::swap(all_[slot->index], all_.back());
  all_.pop_back();
}

bool WorkStore::NobodyWaits() const {
  return std::ranges::all_of(all_, [](const auto& slot) { return slot->sink == nullptr; });
}

}  // namespace proxymux::pgsql
