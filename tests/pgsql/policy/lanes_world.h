// Slow statements in the world of the policies, and the lanes that they look for. Quick lookups are
// about as well.
#pragma once

#include <chrono>
#include <memory>

#include "pgsql/policy/lanes.h"
#include "tests/pgsql/policy/policy_world.h"

namespace proxymux::pgsql {

class LanesWorld : public PolicyWorld {
 protected:
  LanesWorld() { quick_about = true; }

  PoolConnection* Choose(const Work* work) { return lanes.Choose(View(), rules, *work); }
  // The slow statement goes there.
  void Take(PoolConnection& lane, const std::shared_ptr<TableBinding>& table) {
    lane.lane_table = table.get();
    if (lane.phase() == Phase::kEmptying) lane.SetPhase(Phase::kLane);
    Send(lane, table, /*in_lane=*/true);
  }

  const std::shared_ptr<TableBinding> slow = Slow(std::chrono::milliseconds(30));
  const std::shared_ptr<TableBinding> other = Slow(std::chrono::milliseconds(30));
  Lanes lanes;
};

}  // namespace proxymux::pgsql
