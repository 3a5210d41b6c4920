#include "pgsql/pipeline_ledger.h"

#include <cassert>

namespace proxymux::pgsql {

void PipelineLedger::PushStatement(Work* work) {
  assert(work != nullptr);
  entries_.push_back({work});
  ++statements_;
  batch_open_ = true;
}

bool PipelineLedger::PushSync() {
  if (!batch_open_) return false;
  entries_.push_back({nullptr});
  batch_open_ = false;
  return true;
}

PipelineLedger::Expected PipelineLedger::Next() const {
  if (entries_.empty()) return Expected::kNothing;
  return entries_.front().work != nullptr ? Expected::kStatement : Expected::kSync;
}

Work* PipelineLedger::OldestStatement() const {
  for (const Entry& entry : entries_) {
    if (entry.work != nullptr) return entry.work;
  }
  return nullptr;
}

Work* PipelineLedger::PopStatement() {
  assert(Next() == Expected::kStatement);
  Work* work = entries_.front().work;
  entries_.pop_front();
  --statements_;
  return work;
}

void PipelineLedger::PopSync() {
  assert(Next() == Expected::kSync);
  entries_.pop_front();
}

std::vector<Work*> PipelineLedger::TakeUnanswered() {
  std::vector<Work*> unanswered;
  unanswered.reserve(statements_);
  for (const Entry& entry : entries_) {
    if (entry.work != nullptr) unanswered.push_back(entry.work);
  }
  entries_.clear();
  statements_ = 0;
  batch_open_ = false;
  return unanswered;
}

}  // namespace proxymux::pgsql
