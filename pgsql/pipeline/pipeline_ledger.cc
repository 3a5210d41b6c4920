#include "pgsql/pipeline/pipeline_ledger.h"

#include <cassert>

namespace proxymux::pgsql {
namespace {

constexpr std::size_t kFirstSize = 64;

}  // namespace

void PipelineLedger::Push(const Entry& entry) {
  if (count_ == ring_.size()) {
    std::vector<Entry> larger(ring_.empty() ? kFirstSize : 2 * ring_.size());
    for (std::size_t i = 0; i < count_; ++i) larger[i] = EntryAt(i);
    ring_.swap(larger);
    first_ = 0;
  }
  ring_[(first_ + count_) & (ring_.size() - 1)] = entry;
  ++count_;
}

void PipelineLedger::Pop() {
  first_ = (first_ + 1) & (ring_.size() - 1);
  --count_;
}

void PipelineLedger::PushStatement(Work* work) {
  assert(work != nullptr);
  Push({Expected::kStatement, work});
  ++statements_;
  batch_open_ = true;
}

void PipelineLedger::PushCheck() {
  Push({Expected::kCheck});
  batch_open_ = true;
}

void PipelineLedger::PushJitOff() {
  Push({Expected::kJitOff});
  batch_open_ = true;
}

bool PipelineLedger::PushSync(bool holds) {
  if (!batch_open_) return false;
  for (std::size_t i = count_; holds && i > 0; --i) {
    Entry& entry = ring_[(first_ + i - 1) & (ring_.size() - 1)];
    if (entry.kind == Expected::kSync) break;
    entry.holds = true;
  }
  Push({Expected::kSync});
  batch_open_ = false;
  return true;
}

PipelineLedger::Expected PipelineLedger::Next(std::size_t held) const {
  if (count_ <= held) return Expected::kNothing;
  return EntryAt(held).kind;
}

Work* PipelineLedger::PopStatement() {
  assert(Next() == Expected::kStatement);
  Work* work = EntryAt(0).work;
  Pop();
  --statements_;
  return work;
}

void PipelineLedger::PopCheck() {
  assert(Next() == Expected::kCheck);
  Pop();
}

void PipelineLedger::PopJitOff() {
  assert(Next() == Expected::kJitOff);
  Pop();
}

void PipelineLedger::PopSync() {
  assert(Next() == Expected::kSync);
  Pop();
}

std::vector<Work*> PipelineLedger::TakeUnanswered() {
  std::vector<Work*> unanswered;
  unanswered.reserve(statements_);
  for (std::size_t i = 0; i < count_; ++i) {
    if (EntryAt(i).work != nullptr) unanswered.push_back(EntryAt(i).work);
  }
  first_ = count_ = statements_ = 0;
  batch_open_ = false;
  return unanswered;
}

}  // namespace proxymux::pgsql
