// Whether a lookup that is alone on its connection is answered sooner when it goes as text by the
// simple protocol than in its usual form.
//
// That is measured for each host, not known: the usual form spares the server's planner; the simple
// protocol is one message each way, which counts where something stands between that handles each
// message by itself, as Pgpool-II does. Now and then there is a trial, in which lookups of one
// table go in both forms in turn. The medians decide: a form has to be clearly better to take the
// place of the other. Both have the same answer; what is measured is how soon it comes.
//
// Several lookups in one batch always go in the usual form, which is better the more they are.
// Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "pgsql/runtime/event_loop.h"
#include "pgsql/table/statement_form.h"

namespace proxymux::pgsql {

class LoneForm {
 public:
  static constexpr std::size_t kFirst = 200;   // lone lookups before the first trial
  static constexpr std::size_t kSamples = 31;  // of each form, in a trial

  // For a lookup of `table`, which is compared but never read, that goes out now.
  Protocol Choose(const void* table, Time now);
  // It was answered, `taken` after it was sent.
  void OnAnswered(const void* table, Protocol protocol, Duration taken, Time now);

  // What the latest trial has settled; before the first one the usual form.
  Protocol better() const { return better_; }

 private:
  class Samples {
   public:
    void Add(Duration taken);
    bool full() const { return count_ == kSamples; }
    Duration Median();  // when it is full

   private:
    std::array<Duration, kSamples> taken_{};
    std::size_t count_ = 0;
  };
  // Lookups of `table` go in both forms in turn.
  struct Trial {
    const void* table = nullptr;
    Time begun{};
    Protocol next = Protocol::kSimple;
    std::size_t sent = 0;
    Samples extended;
    Samples simple;
  };

  void Settle(Time now);

  Protocol better_ = Protocol::kExtended;
  std::size_t before_first_ = kFirst;
  Time next_trial_{};
  Trial trial_;  // none without a table
};

}  // namespace proxymux::pgsql
