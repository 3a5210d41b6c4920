// What a server says of itself as one of several that hold the same data: whether it writes or
// replays, and how far it has come in the write-ahead log.
//
// Asked with functions that every role may call (PostgreSQL manual, "Recovery Information
// Functions", "Backup Control Functions", "Control Data Functions"); servers before 10 do not have
// them. Positions are bytes from the beginning of the log (pg_lsn). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pgsql/runtime/event_loop.h"

namespace proxymux::pgsql {

struct ReplicaState {
  std::uint64_t system = 0;     // its system identifier: that of all copies of one cluster
  bool standby = false;         // in recovery
  std::uint64_t position = 0;   // a primary has written as far as this, a standby has replayed it
  std::uint32_t timeline = 0;   // primaries only: raised by each promotion
  std::uint64_t received = 0;   // standbys only: by streaming; 0: nothing
  bool receiving = false;       // standbys only: a WAL receiver is at work
  std::optional<Duration> age;  // standbys only: how long ago, by the clocks of the servers, the
                                // latest transaction was committed that was replayed; none: none
                                // was since the start
};

// Gives one text, for ParseReplicaState().
const std::string& ReplicaStateSql();
std::optional<ReplicaState> ParseReplicaState(std::string_view text);

}  // namespace proxymux::pgsql
