#include "pgsql/host/wal_history.h"

#include <algorithm>
#include <cstddef>
#include <limits>

namespace proxymux::pgsql {

void WalHistory::Add(std::uint64_t position, RealTime asked) {
  if (count_ > 0 && position < newest_.position) return;
  newest_ = {position, std::max(asked, newest_.reached)};
  if (count_ > 0) {
    Mark& last = marks_[count_ - 1];
    if (last.position == position) {
      last.reached = newest_.reached;
      return;
    }
    if (newest_.reached - last.reached < kApart) return;
  }
  if (count_ == kMarks) Thin();
  marks_[count_++] = newest_;
}

// The one goes whose neighbours are closest together for how long ago they are. The oldest stays.
void WalHistory::Thin() {
  std::size_t goes = 1;
  double least = std::numeric_limits<double>::max();
  for (std::size_t i = 1; i + 1 < count_; ++i) {
    const Duration gap = marks_[i + 1].reached - marks_[i - 1].reached;
    const Duration ago = newest_.reached - marks_[i - 1].reached;
    const double share = static_cast<double>(gap.count()) / static_cast<double>(ago.count());
    if (share < least) {
      least = share;
      goes = i;
    }
  }
  std::copy(marks_.begin() + static_cast<std::ptrdiff_t>(goes) + 1,
            marks_.begin() + static_cast<std::ptrdiff_t>(count_),
            marks_.begin() + static_cast<std::ptrdiff_t>(goes));
  --count_;
}

std::optional<RealTime> WalHistory::KnownUntil(std::uint64_t position) const {
  if (count_ == 0) return std::nullopt;
  if (position >= newest_.position) return newest_.reached;
  const auto end = marks_.begin() + static_cast<std::ptrdiff_t>(count_);
  const auto beyond = std::upper_bound(
      marks_.begin(), end, position,
      [](std::uint64_t wanted, const Mark& mark) { return wanted < mark.position; });
  if (beyond == marks_.begin()) return std::nullopt;
  return (beyond - 1)->reached;
}

}  // namespace proxymux::pgsql
