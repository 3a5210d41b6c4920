// The works of one pool: each is used again when it is over, and some are kept for that. Taking and
// giving back cost the same however many there are.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "pgsql/work/work.h"

namespace proxymux::pgsql {

class WorkStore {
 public:
  // Kept for reuse; more are freed.
  static constexpr std::size_t kSpare = 1024;

  Work* Take();
  // It stands in no list any more.
  void GiveBack(Work* work);

  std::size_t in_use() const { return all_.size() - free_.size(); }
  std::size_t size() const { return all_.size(); }
  // Nobody waits for any of them.
  bool NobodyWaits() const;

 private:
  struct Slot final : Work {
    std::size_t index = 0;  // in all_
  };

  std::vector<std::unique_ptr<Slot>> all_;
  std::vector<Slot*> free_;
};

}  // namespace proxymux::pgsql
