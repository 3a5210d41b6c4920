// Everything that a pool was asked and that is not over: lookups, wherever they are, and questions
// of the pool's own. What is over is answered once and kept for reuse.
//
// A work waits in the queues, is in flight on a connection, or is parked between two tries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "pgsql/pool/pool_context.h"
#include "pgsql/work/lookup_deadlines.h"
#include "pgsql/work/table_binding.h"
#include "pgsql/work/twin_lookups.h"
#include "pgsql/work/work.h"
#include "pgsql/work/work_queues.h"
#include "pgsql/work/work_store.h"

namespace proxymux::pgsql {

class OpenWork {
 public:
  explicit OpenWork(PoolContext* pool) : pool_(pool) {}
  ~OpenWork();
  OpenWork(const OpenWork&) = delete;
  OpenWork& operator=(const OpenWork&) = delete;

  // See ConnectionPool.
  Work* Submit(std::shared_ptr<TableBinding> binding, std::string_view key, LookupSink* sink);
  void Abandon(Work* lookup);

  // For what goes along with lookups; it waits for nothing.
  Work* New(Work::Kind kind, std::shared_ptr<TableBinding> binding);
  // A table that stands for all, for a question that is about none: the oldest waiting lookup's, or
  // the one of the question before. Null: there was none yet, or it is gone.
  std::shared_ptr<TableBinding> TableForQuestion();
  // Puts the question what the table's statement may do into the queue.
  void AskAbout(const std::shared_ptr<TableBinding>& binding);
  // Puts a second try of the lookup into the queue, for hosts that it was not sent to.
  void AskTwice(Work* lookup);

  // The work is over. It stands in no list any more, and whoever was tied to it goes on alone.
  void Recycle(Work* work);
  // Answers the lookup that the work is a try of, if somebody waits. The work is still the
  // caller's.
  void AnswerLookup(Work* work, const Answer& answer);
  // Answers kRetry; a question to the catalogue is asked again with the next lookup.
  void GiveUp(Work* work, std::string_view reason);
  // Its next try is not made before `pause` is over, unless its limits leave no time for that or
  // too many pause already: each turn looks at those that do.
  void PauseBefore(Work* work, Duration pause);
  // Puts it into the queue again. False when nobody wants it or no host can take it; it is then
  // answered, and the caller's.
  bool RunAgain(Work* work, std::string_view reason);

  // Something was learned of the table: what its lookups wait for.
  void Reline(TableBinding* binding) { queues_.SetLine(binding, pool_->rules.LineOf(*binding)); }
  // The same for all tables that have lookups waiting.
  void RelineAll();

  WorkQueues& queues() { return queues_; }
  const WorkQueues& queues() const { return queues_; }
  LookupDeadlines& deadlines() { return deadlines_; }  // of lookups that somebody waits for
  bool NoneParked() const { return twins_.NoneParked(); }
  // Questions to catalogues, PREPAREs and the like that are not over: no connection is opened for
  // them.
  std::size_t questions() const { return questions_; }
  std::size_t in_use() const { return works_.in_use(); }

 private:
  void Enqueue(Work* work);  // in the order of submission

  PoolContext* const pool_;
  WorkStore works_;
  WorkQueues queues_;
  LookupDeadlines deadlines_;
  TwinLookups twins_;
  std::weak_ptr<TableBinding> asked_for_;  // the latest question that was about no table
  std::size_t questions_ = 0;
  std::uint64_t last_sequence_ = 0;
};

}  // namespace proxymux::pgsql
