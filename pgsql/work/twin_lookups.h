// Two tries of one lookup: what one host owes is asked of another one as well, and the first answer
// counts.
//
// The first try is the lookup itself, with its sink; the second one has none. They know each other
// until one of them is over. A first one that comes to nothing is parked meanwhile: the second one
// may still bring the answer. Pure; owns nothing.
#pragma once

#include <cstddef>

#include "pgsql/work/work.h"

namespace proxymux::pgsql {

class TwinLookups {
 public:
  // The lookup that a work is a try of, which is the work itself unless it is a second one.
  static Work* Asked(Work* work) { return work->twin.first != nullptr ? work->twin.first : work; }
  // It is a second try, and the first one, which is the lookup, is not over.
  static bool IsForAnother(const Work& work) { return work.twin.first != nullptr; }
  // It is a second try, also when the first one is over.
  static bool IsSecond(const Work& work) { return work.twin.is_second; }
  static bool HasSecond(const Work& lookup) { return lookup.twin.second != nullptr; }
  // The second try, if it waits to be sent; null: there is none, or it is under way.
  static Work* UnsentSecond(const Work& lookup);
  // Somebody waits for it.
  static bool Awaited(const Work& work);

  // An attempt of the second one counts for the lookup as well.
  static void CountAttempt(Work* work, std::size_t host);
  static void TakeBackAttempt(Work* work, std::size_t host);

  // `second` is new: it asks what `first` does, of hosts that `first` was not sent to.
  static void Tie(Work* first, Work* second);
  // False: there is no second one, and nothing was done.
  bool Park(Work* first);
  bool NoneParked() const { return parked_.empty(); }

  // Of two that know each other no longer, what has to be done for the one that is left; null:
  // nothing.
  struct Parted {
    Work* useless = nullptr;     // a second one that was not sent yet
    Work* on_its_own = nullptr;  // a first one that was parked
  };
  // The work is over.
  Parted Part(Work* work);

 private:
  WorkList parked_;
};

}  // namespace proxymux::pgsql
