// Sends slow lookups, in lanes (lanes.h): one turn of it.
//
// First those of tables that were never measured and have nothing in a lane, which may well be
// quick; then those of other tables that have nothing in a lane; then any. Among each the tables
// take turns.
#pragma once

#include <cstddef>
#include <optional>

#include "pgsql/policy/lanes.h"
#include "pgsql/pool/connection_set.h"
#include "pgsql/pool/open_work.h"
#include "pgsql/pool/pool_context.h"
#include "pgsql/pool/work_sender.h"
#include "pgsql/work/held_up.h"
#include "pgsql/work/table_binding.h"
#include "pgsql/work/work.h"
#include "pgsql/work/work_queues.h"

namespace proxymux::pgsql {

class SlowDispatcher {
 public:
  // `held_up` is told of what found no lane.
  SlowDispatcher(PoolContext* pool, OpenWork* work, ConnectionSet* connections, WorkSender* sender,
                 HeldUp* held_up)
      : pool_(pool), work_(work), connections_(connections), sender_(sender), held_up_(held_up) {}

  // A turn begins.
  void Begin() { lanes_ = {}; }
  void SendAll();

  // See Dispatcher.
  std::optional<std::size_t> session_wanted() const { return lanes_.session_wanted(); }

 private:
  using Queue = WorkQueues::Queue;

  bool Send(Work* work);
  bool SendAgain(Line line);
  bool SendOneOfEach(Line line);
  void SendMore(Line line);

  PoolContext* const pool_;
  OpenWork* const work_;
  ConnectionSet* const connections_;
  WorkSender* const sender_;
  HeldUp* const held_up_;
  Lanes lanes_;  // of this turn
};

}  // namespace proxymux::pgsql
