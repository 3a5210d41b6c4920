// How long a table's statement keeps its connection busy, from what was measured, and whether that
// is long enough to hold up the statements of other tables behind it.
//
// A moving average: one slow answer among quick ones (a lock, a busy processor) does not make a
// table slow, a few in a row do, and the way back is as short. Pure.
#pragma once

#include <chrono>

#include "pgsql/runtime/event_loop.h"

namespace proxymux::pgsql {

class ServiceTime {
 public:
  // A statement that takes longer must not stand before others.
  static constexpr Duration kSlow = std::chrono::milliseconds(25);
  // When a batch of several tables takes that long, each of these tables is measured by itself.
  static constexpr Duration kSuspicious = std::chrono::milliseconds(50);

  void Record(Duration taken);
  // A batch that had a statement of this table was slow; which statement of it is not known.
  void Suspect();

  // Also true as long as nothing was measured.
  bool slow() const { return !known_ || average_ >= kSlow; }
  bool known() const { return known_; }
  Duration average() const { return average_; }

 private:
  bool known_ = false;
  Duration average_{};
};

}  // namespace proxymux::pgsql
