// How long the server was at a statement, as far as its answer tells (service_time.h).
//
// Results come in order, those of one batch together: what the batch took shows at its first
// result. Nobody knows which statement of it took so long. Those of one table are much alike; of
// several tables each is looked at by itself from now on. Pure but for the tables' service times
// and the connection's note of the batch that is measured, which it writes.
#pragma once

#include <cstdint>

#include "pgsql/connection/pool_connection.h"
#include "pgsql/runtime/event_loop.h"
#include "pgsql/work/work.h"

namespace proxymux::pgsql {

class ServiceMeter {
 public:
  // Of which tables something was learned.
  enum class Learned : std::uint8_t {
    kNothing,
    kOfOne,    // the work's
    kOfBatch,  // those of all lookups of its batch
  };

  // The work was answered now, and is not in flight any more.
  static Learned Measure(PoolConnection* connection, const Work& work, Time now);
};

}  // namespace proxymux::pgsql
