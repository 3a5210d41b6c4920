// What was sent on one connection, held against what comes back: a FIFO of statements and Syncs.
//
// The connection pushes an entry for everything that it sends and pops one for everything that the
// server has answered in full. A result that does not fit the oldest entry means that the two sides
// are out of step: the caller then drops the connection, since no later answer could be trusted to
// belong to its question. Allocates only while it grows.
#pragma once

#include <cstddef>
#include <vector>

namespace proxymux::pgsql {

struct Work;

class PipelineLedger {
 public:
  enum class Expected { kNothing, kStatement, kSync };

  void PushStatement(Work* work);
  // A Sync ends a batch; false when there is nothing to end.
  bool PushSync();

  Expected Next() const;
  // The oldest statement, whatever Sync may stand before it; null when there is none.
  Work* OldestStatement() const;
  Work* PopStatement();
  void PopSync();

  std::size_t statements() const { return statements_; }
  bool batch_open() const { return batch_open_; }

  // Empties the ledger: the unanswered statements, oldest first.
  std::vector<Work*> TakeUnanswered();

 private:
  Work* Entry(std::size_t place) const { return ring_[(first_ + place) & (ring_.size() - 1)]; }
  void Push(Work* work);
  void Pop();

  std::vector<Work*> ring_;  // its size is a power of two; null: a Sync
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  std::size_t statements_ = 0;
  bool batch_open_ = false;
};

}  // namespace proxymux::pgsql
