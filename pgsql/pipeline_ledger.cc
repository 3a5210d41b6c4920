#include "pgsql/pipeline_ledger.h"

#include <cassert>

namespace proxymux::pgsql {
namespace {

constexpr std::size_t kFirstSize = 64;

}  // namespace

void PipelineLedger::Push(Work* work) {
  if (count_ == ring_.size()) {
    std::vector<Work*> larger(ring_.empty() ? kFirstSize : 2 * ring_.size());
    for (std::size_t i = 0; i < count_; ++i) larger[i] = Entry(i);
    ring_.swap(larger);
    first_ = 0;
  }
  ring_[(first_ + count_) & (ring_.size() - 1)] = work;
  ++count_;
}

void PipelineLedger::Pop() {
  first_ = (first_ + 1) & (ring_.size() - 1);
  --count_;
}

void PipelineLedger::PushStatement(Work* work) {
  assert(work != nullptr);
  Push(work);
  ++statements_;
  batch_open_ = true;
}

bool PipelineLedger::PushSync() {
  if (!batch_open_) return false;
  Push(nullptr);
  batch_open_ = false;
  return true;
}

PipelineLedger::Expected PipelineLedger::Next() const {
  if (count_ == 0) return Expected::kNothing;
  return Entry(0) != nullptr ? Expected::kStatement : Expected::kSync;
}

Work* PipelineLedger::OldestStatement() const {
  for (std::size_t i = 0; i < count_; ++i) {
    if (Entry(i) != nullptr) return Entry(i);
  }
  return nullptr;
}

Work* PipelineLedger::PopStatement() {
  assert(Next() == Expected::kStatement);
  Work* work = Entry(0);
  Pop();
  --statements_;
  return work;
}

void PipelineLedger::PopSync() {
  assert(Next() == Expected::kSync);
  Pop();
}

std::vector<Work*> PipelineLedger::TakeUnanswered() {
  std::vector<Work*> unanswered;
  unanswered.reserve(statements_);
  for (std::size_t i = 0; i < count_; ++i) {
    if (Entry(i) != nullptr) unanswered.push_back(Entry(i));
  }
  first_ = count_ = statements_ = 0;
  batch_open_ = false;
  return unanswered;
}

}  // namespace proxymux::pgsql
