#include "pgsql/host/lone_form.h"

#include <algorithm>
#include <chrono>

namespace proxymux::pgsql {
namespace {

constexpr Duration kBetweenTrials = std::chrono::minutes(10);

// A table that is asked for so seldom gives way to another one.
constexpr Duration kTrialLimit = std::chrono::minutes(1);

// Lookups in a trial that comes to nothing.
constexpr std::size_t kMost = 6 * LoneForm::kSamples;

// "Clearly": by a tenth.
bool Better(Duration one, Duration other) { return 10 * one < 9 * other; }

}  // namespace

void LoneForm::Samples::Add(Duration taken) {
  if (!full()) taken_[count_++] = taken;
}

Duration LoneForm::Samples::Median() {
  const auto middle = taken_.begin() + kSamples / 2;
  std::nth_element(taken_.begin(), middle, taken_.end());
  return *middle;
}

Protocol LoneForm::Choose(const void* table, Time now) {
  if (before_first_ > 0) {
    --before_first_;
    return better_;
  }
  if (trial_.table != table) {
    const bool is_due =
        trial_.table == nullptr ? now >= next_trial_ : now - trial_.begun >= kTrialLimit;
    if (!is_due) return better_;
    trial_ = {};
    trial_.table = table;
    trial_.begun = now;
  }
  if (++trial_.sent > kMost) {  // too many of them fail
    better_ = Protocol::kExtended;
    next_trial_ = now + kBetweenTrials;
    trial_ = {};
    return better_;
  }
  const Protocol protocol = trial_.next;
  trial_.next = protocol == Protocol::kSimple ? Protocol::kExtended : Protocol::kSimple;
  return protocol;
}

void LoneForm::OnAnswered(const void* table, Protocol protocol, Duration taken, Time now) {
  if (trial_.table == nullptr || trial_.table != table) return;
  (protocol == Protocol::kSimple ? trial_.simple : trial_.extended).Add(taken);
  if (trial_.simple.full() && trial_.extended.full()) Settle(now);
}

void LoneForm::Settle(Time now) {
  const Duration simple = trial_.simple.Median();
  const Duration extended = trial_.extended.Median();
  if (Better(simple, extended)) better_ = Protocol::kSimple;
  if (Better(extended, simple)) better_ = Protocol::kExtended;
  next_trial_ = now + kBetweenTrials;
  trial_ = {};
}

}  // namespace proxymux::pgsql
