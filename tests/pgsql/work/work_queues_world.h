// Queues, and the works and tables that a test puts into them. Works wait, are sent and come back,
// without connections and without a pool.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <memory>

#include "pgsql/runtime/event_loop.h"
#include "pgsql/work/table_binding.h"
#include "pgsql/work/work.h"
#include "pgsql/work/work_queues.h"

namespace proxymux::pgsql {

class WorkQueuesWorld : public testing::Test {
 protected:
  std::shared_ptr<TableBinding> Table(Line line) {
    auto table = std::make_shared<TableBinding>();
    table->line = line;
    return table;
  }

  // Submitted after all that were made before.
  Work* New(const std::shared_ptr<TableBinding>& table) {
    Work& work = works.emplace_back();
    work.binding = table;
    work.sequence = works.size();
    work.attempts.Reset(2);
    return &work;
  }
  Work* Add(const std::shared_ptr<TableBinding>& table) {
    Work* work = New(table);
    queues.Add(work, now);
    return work;
  }
  Work* Question(const std::shared_ptr<TableBinding>& table) {
    Work* work = New(table);
    work->kind = Work::Kind::kClassify;
    work->sequence = 0;
    queues.Add(work, now);
    return work;
  }
  // It was sent, and comes back.
  void ComesBack(Work* work) {
    queues.Remove(work);
    work->attempts.Count(0);
    queues.Add(work, now);
  }

  std::deque<Work> works;
  Time now{};
  WorkQueues queues;
};

}  // namespace proxymux::pgsql
