// What was sent on one connection, held against what comes back: a FIFO of statements, Syncs and
// statements of the connection's own: checks, and those that turn jit off.
//
// The connection pushes an entry for everything that it sends and pops one for everything that the
// server has answered in full. A result that does not fit the oldest entry means that the two sides
// are out of step: the caller then drops the connection, since no later answer could be trusted to
// belong to its question. Allocates only while it grows.
//
// The pool has a list of the same statements in the same order: PoolConnection::in_flight(). Which
// statement a result belongs to, and what else the server has yet to answer, is the ledger's to
// say; how long a connection has been silent, and who waits for what is on it, the list's.
//
// A batch may hold its answers back: its statements keep their entries until the Sync is answered.
#pragma once

#include <cstddef>
#include <vector>

namespace proxymux::pgsql {

struct Work;

class PipelineLedger {
 public:
  enum class Expected { kNothing, kStatement, kCheck, kJitOff, kSync };

  void PushStatement(Work* work);
  void PushCheck();
  void PushJitOff();
  // A Sync ends a batch; false when there is nothing to end. What its statements answer may be held
  // until the Sync is answered.
  bool PushSync(bool holds = false);

  // What the server answers next, once the `held` oldest entries are answered.
  Expected Next(std::size_t held = 0) const;
  // Whether the entry behind the `held` oldest is a statement of a batch that holds its answers.
  bool Holds(std::size_t held) const { return EntryAt(held).holds; }
  Work* PopStatement();
  void PopCheck();
  void PopJitOff();
  void PopSync();

  std::size_t statements() const { return statements_; }
  bool batch_open() const { return batch_open_; }

  // Empties the ledger: the unanswered statements, oldest first.
  std::vector<Work*> TakeUnanswered();

 private:
  struct Entry {
    Expected kind = Expected::kNothing;
    Work* work = nullptr;  // kStatement only
    bool holds = false;
  };

  const Entry& EntryAt(std::size_t place) const {
    return ring_[(first_ + place) & (ring_.size() - 1)];
  }
  void Push(const Entry& entry);
  void Pop();

  std::vector<Entry> ring_;  // its size is a power of two
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  std::size_t statements_ = 0;
  bool batch_open_ = false;
};

}  // namespace proxymux::pgsql
