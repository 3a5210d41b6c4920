// What waits to be sent, in the order in which it is to be looked at.
//
// There are three queues, by the connections that their lookups go to, and lines in each of them,
// by what the lookups of a table wait for. Lookups that share their connection wait in one line,
// first come first served, behind questions of the pool's own. All others wait by table, and the
// tables of a line take turns: a table that finds no connection does not hold up the others, and
// many lookups of one table do not hold up the few of another. Lookups that were sent before, and
// may need another host, wait beside the lines of their queue.
//
// Nothing here costs more because more waits, but for SetLine() of a table that leaves the shared
// line or comes into it, which goes through that line once. Pure; owns nothing; allocates nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "pgsql/runtime/event_loop.h"
#include "pgsql/work/table_binding.h"
#include "pgsql/work/work.h"

namespace proxymux::pgsql {

class WorkQueues {
 public:
  // Where lookups go: to any connection that is no lane, to their table's own ones, to lanes.
  enum class Queue : std::uint8_t { kShared, kOwn, kSlow };
  static Queue QueueOf(Line line);

  WorkQueues() = default;
  WorkQueues(const WorkQueues&) = delete;
  WorkQueues& operator=(const WorkQueues&) = delete;
  ~WorkQueues();  // tables may live longer

  // Puts the work into the line of its table (TableBinding::line); a question in front of all.
  void Add(Work* work, Time now);
  // It is sent, answered or given up. Nothing when it does not wait.
  void Remove(Work* work);
  bool Holds(const Work* work) const { return by_age_.Holds(work); }
  // The table's lookups wait for something else from now on.
  void SetLine(TableBinding* table, Line line);

  bool empty() const { return by_age_.empty(); }
  std::size_t size() const { return by_age_.size(); }
  std::size_t questions() const { return questions_; }
  std::size_t lookups(Queue queue) const { return lookups_[static_cast<std::size_t>(queue)]; }

  // What was never sent, in the order of submission: questions first. Go on with WorkList::Next.
  const WorkList& Shared() const { return shared_; }
  // What was sent before. Go on with WorkList::Next.
  const WorkList& Again(Queue queue) const { return again_[static_cast<std::size_t>(queue)]; }
  // The tables of another line than the shared one that have lookups which were never sent, in
  // TableBinding::waiting. Go on with Tables::Next.
  using Tables = IntrusiveList<TableBinding, &TableBinding::turn>;
  const Tables& TablesOf(Line line) const { return tables_[static_cast<std::size_t>(line)]; }
  // The table has had its turn; nothing when it has no lookup that waits for one.
  void ToTheBack(TableBinding* table);

  // Of those that are next in their line the one that was submitted first; null: the queue is
  // empty.
  const Work* Head(Queue queue) const;

  // What came here first, and so on with Younger(); null: nothing waits.
  Work* Oldest() const { return by_age_.front(); }
  static Work* Younger(const Work* work) { return ByAge::Next(work); }
  // The oldest of what came here since NoneIsNew(), and so on with Younger(); null: nothing did.
  Work* FirstNew() const { return first_new_; }
  void NoneIsNew() { first_new_ = nullptr; }
  void AllAreNew() { first_new_ = by_age_.front(); }
  // The lookup that was submitted last, to be given up first when too many wait; null: there is
  // none.
  Work* Youngest() const;

 private:
  using ByAge = IntrusiveList<Work, &Work::age>;

  void Enter(Work* work);
  void Leave(Work* work);

  WorkList shared_;
  std::array<WorkList, 3> again_;         // by queue
  std::array<std::size_t, 3> lookups_{};  // by queue
  std::array<Tables, kLines> tables_;
  std::size_t questions_ = 0;
  ByAge by_age_;  // all that waits, in the order in which it came here
  Work* first_new_ = nullptr;
};

}  // namespace proxymux::pgsql
