// What servers of one cluster say of themselves, for tests.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "pgsql/host/replica_state.h"

namespace proxymux::pgsql {

inline ReplicaState Primary(std::uint64_t position, std::uint32_t timeline = 1) {
  ReplicaState state;
  state.system = 7;
  state.position = position;
  state.timeline = timeline;
  return state;
}

inline ReplicaState Standby(std::uint64_t replayed, std::uint64_t received,
                            std::optional<Duration> age = std::nullopt) {
  ReplicaState state;
  state.system = 7;
  state.standby = true;
  state.position = replayed;
  state.received = received;
  state.receiving = true;
  state.age = age;
  return state;
}

// It has lost the connection to its primary.
inline ReplicaState CutOff(ReplicaState standby) {
  standby.receiving = false;
  return standby;
}

}  // namespace proxymux::pgsql
