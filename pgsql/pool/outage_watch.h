// Follows the outages of a pool (outage.h) as time goes on: tells that one has begun and how it
// ended, and tells the lookups that they wait.
#pragma once

#include <cstdint>

#include "pgsql/host/outage.h"
#include "pgsql/pool/open_work.h"
#include "pgsql/pool/pool_context.h"

namespace proxymux::pgsql {

class OutageWatch {
 public:
  OutageWatch(PoolContext* pool, OpenWork* work) : pool_(pool), work_(work) {}

  // As a turn begins.
  void Look();
  // As a turn ends: what is in the queue waits for a host, if there is an outage.
  void NoteWaiting();

 private:
  void Begin();
  void End();

  PoolContext* const pool_;
  OpenWork* const work_;
  bool told_ = false;  // of the present outage
  std::uint64_t waits_before_ = 0;
  std::uint64_t retries_before_ = 0;
};

}  // namespace proxymux::pgsql
