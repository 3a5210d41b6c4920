#include "pgsql/pool/open_work.h"

#include <cassert>
#include <utility>

namespace proxymux::pgsql {
namespace {

using Queue = WorkQueues::Queue;

// Of those that were sent before and wait.
constexpr std::size_t kMostPausing = 64;

}  // namespace

OpenWork::~OpenWork() { assert(works_.NobodyWaits()); }

Work* OpenWork::Submit(std::shared_ptr<TableBinding> binding, std::string_view key,
                       LookupSink* sink) {
  if (!pool_->rules.Known(*binding) && binding->write_class != WriteClass::kAsking) {
    AskAbout(binding);
  }
  Work* work = New(Work::Kind::kLookup, std::move(binding));
  work->key = key;
  work->sink = sink;
  deadlines_.Add(work, work->binding->settings.lookup_timeout);
  ++pool_->counters.lookups;
  Enqueue(work);
  return work;
}

void OpenWork::Abandon(Work* lookup) {
  lookup->sink = nullptr;
  LookupDeadlines::Remove(lookup);
  if (!WorkList::InFlight(lookup)) {
    Recycle(lookup);  // what was sent is waited for, for the sake of the order
  } else if (Work* second = TwinLookups::UnsentSecond(*lookup)) {
    Recycle(second);
  }
}

Work* OpenWork::New(Work::Kind kind, std::shared_ptr<TableBinding> binding) {
  if (kind != Work::Kind::kLookup) ++questions_;
  Work* work = works_.Take();
  work->kind = kind;
  work->needs = {.may_write = binding->write_class != WriteClass::kReads,
                 .script = kind == Work::Kind::kLookup && binding->IsScript()};
  work->form = StatementForm::kText;
  work->wire = {.protocol = work->needs.script ? Protocol::kSimple : Protocol::kExtended};
  work->in_lane = false;
  work->twin = {};
  work->binding = std::move(binding);
  work->submitted = pool_->Now();
  work->sent = {};
  work->attempts.Reset(pool_->hosts.size());
  work->sequence = ++last_sequence_;
  return work;
}

std::shared_ptr<TableBinding> OpenWork::TableForQuestion() {
  if (const Work* oldest = queues_.Oldest(); oldest != nullptr) asked_for_ = oldest->binding;
  return asked_for_.lock();
}

void OpenWork::AskAbout(const std::shared_ptr<TableBinding>& binding) {
  binding->write_class = WriteClass::kAsking;
  Work* work = New(Work::Kind::kClassify, binding);
  work->needs.may_write = false;
  work->sequence = 0;  // before every lookup: some wait for it
  Enqueue(work);
}

void OpenWork::AskTwice(Work* lookup) {
  Work* second = New(Work::Kind::kLookup, lookup->binding);
  TwinLookups::Tie(lookup, second);
  Enqueue(second);
}

void OpenWork::Enqueue(Work* work) {
  work->in_lane = false;
  Reline(work->binding.get());
  queues_.Add(work, pool_->Now());
  pool_->ScheduleDispatch();
}

void OpenWork::RelineAll() {
  for (Work* work = queues_.Oldest(); work != nullptr; work = WorkQueues::Younger(work)) {
    Reline(work->binding.get());
  }
}

void OpenWork::Recycle(Work* work) {
  if (work->kind != Work::Kind::kLookup) --questions_;
  queues_.Remove(work);
  WorkList::Remove(work);  // parked, or on a list of what is over
  LookupDeadlines::Remove(work);
  const TwinLookups::Parted parted = twins_.Part(work);
  if (parted.useless != nullptr) Recycle(parted.useless);
  if (parted.on_its_own != nullptr && !RunAgain(parted.on_its_own, pool_->last_failure)) {
    Recycle(parted.on_its_own);
  }
  works_.GiveBack(work);
}

void OpenWork::AnswerLookup(Work* work, const Answer& answer) {
  Work* lookup = TwinLookups::Asked(work);
  LookupSink* sink = std::exchange(lookup->sink, nullptr);
  LookupDeadlines::Remove(lookup);
  // The one of the two that is not under way is of no more use.
  Work* const second = TwinLookups::UnsentSecond(*lookup);
  if (second != nullptr && second != work) Recycle(second);
  if (sink != nullptr) sink->OnAnswer(answer);
}

void OpenWork::GiveUp(Work* work, std::string_view reason) {
  switch (work->kind) {
    case Work::Kind::kClassify:
      if (work->binding->write_class == WriteClass::kAsking) {
        work->binding->write_class = WriteClass::kUnknown;
      }
      return;
    case Work::Kind::kPrepare:
    case Work::Kind::kStamp:
    case Work::Kind::kLag:
    case Work::Kind::kDeallocate:
      return;
    case Work::Kind::kLookup: {
      if (TwinLookups::IsForAnother(*work)) return;
      const bool no_host = pool_->hosts.AllDown();
      if (no_host && work->sink != nullptr && !work->sink->HasStaleAnswer()) {
        ++pool_->counters.outage_retries;
      }
      AnswerLookup(work, {Outcome::kRetry, {}, reason, {}, no_host});
      return;
    }
  }
}

void OpenWork::PauseBefore(Work* work, Duration pause) {
  const Time until = pool_->Now() + pause;
  if (pause >= pool_->settings().queue_wait) return;
  if (until >= work->submitted + work->binding->settings.lookup_timeout) return;
  std::size_t others = 0;
  for (const Queue queue : {Queue::kShared, Queue::kOwn, Queue::kSlow}) {
    others += queues_.Again(queue).size();
  }
  if (others < kMostPausing) work->attempts.Pause(until);
}

bool OpenWork::RunAgain(Work* work, std::string_view reason) {
  // Of use on their connection only.
  switch (work->kind) {
    case Work::Kind::kPrepare:
    case Work::Kind::kStamp:
    case Work::Kind::kLag:
    case Work::Kind::kDeallocate:
      return false;
    case Work::Kind::kLookup:
    case Work::Kind::kClassify:
      break;
  }
  if (TwinLookups::IsForAnother(*work)) return false;
  if (work->kind == Work::Kind::kLookup && work->sink == nullptr) return false;
  if (twins_.Park(work)) return true;
  if (!work->attempts.MayYetBeServed(pool_->hosts)) {
    GiveUp(work, reason);
    return false;
  }
  ++pool_->counters.reruns;
  Enqueue(work);
  return true;
}

}  // namespace proxymux::pgsql
