// What the servers of one cluster have said about the log that they share, put together: how far
// each of them is behind its primary.
//
// Only who writes the log knows where it ends. What a standby has received shows others to be
// behind, but not itself to be up to date: it may be catching up. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "pgsql/host/replica_state.h"
#include "pgsql/host/wal_history.h"
#include "pgsql/runtime/event_loop.h"

namespace proxymux::pgsql {

class ClusterLog {
 public:
  // Where a primary said that the log ends, it ends for so long.
  static constexpr Duration kFresh = std::chrono::seconds(3);
  // Positions of two questions are not closer in time than that: what is between may be less.
  static constexpr Duration kResolution = std::chrono::seconds(2);
  // A newer timeline of which nothing was heard for so long is forgotten: the cluster may have been
  // restored from a backup.
  static constexpr Duration kForgotten = std::chrono::minutes(10);

  // A server of the cluster was asked then, and said so.
  void Note(const ReplicaState& state, RealTime asked);

  // It is a primary, and one of a newer timeline is known: it was replaced, and does not know it.
  bool Replaced(const ReplicaState& state, RealTime asked) const;
  // Whether a standby whose answer came then has a log of its own, since it has more than the
  // primary had written later. None: the primary was not asked since then.
  std::optional<bool> Diverged(const ReplicaState& state, RealTime answered) const;
  // It has all that the primary wrote, and it is known where that ends.
  bool AtEnd(const ReplicaState& state, RealTime asked) const;

  // At most that far behind was a server that was asked then. While it is not known where the log
  // ends, one that is `settled` is taken for one that has all, unless others have more; for any
  // other one the commit time counts, and with it the clocks. None: nobody can tell.
  std::optional<Duration> Behind(const ReplicaState& state, RealTime asked, bool settled) const;

 private:
  bool EndKnown(RealTime asked) const;
  Duration BehindOthers(const ReplicaState& state, RealTime asked) const;

  std::uint32_t timeline_ = 0;  // the newest
  RealTime heard_{};            // of that one, the latest time
  WalHistory primary_;          // of that one
  WalHistory received_;         // by standbys
};

}  // namespace proxymux::pgsql
