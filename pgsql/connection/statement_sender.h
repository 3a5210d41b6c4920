// Puts statements on a connection: in which form, with what values, and where a batch ends.
//
// What a connection does not take any more is told by false; the connection is then of no more use,
// and brings back what it has. Owns the memory in which statements are built, which keeps its
// capacity: one is sent at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "pgsql/connection/pool_connection.h"
#include "pgsql/host/host_set.h"
#include "pgsql/runtime/event_loop.h"
#include "pgsql/sql/query_template.h"
#include "pgsql/table/statement_form.h"
#include "pgsql/work/table_binding.h"
#include "pgsql/work/work.h"

namespace proxymux::pgsql {

// Whose works are sent.
class SenderOwner {
 public:
  virtual ~SenderOwner() = default;
  // For what goes along with a lookup: a PREPARE, a DEALLOCATE.
  virtual Work* NewWork(Work::Kind kind, std::shared_ptr<TableBinding> binding) = 0;
  virtual void Recycle(Work* work) = 0;
  // As soon as the connection has it: whatever fails behind that brings it back.
  virtual void CountSent(PoolConnection& connection, Work* work) = 0;
};

class StatementSender {
 public:
  explicit StatementSender(SenderOwner* owner) : owner_(owner) {}

  // The form for the connection and its host, and the text or the values of the lookup in it.
  Expansion Expand(PoolConnection& connection, const PoolHost& host, Work* work, Time now);
  // What was expanded.
  bool SendLookup(PoolConnection& connection, Work* work);
  // In a batch of its own: its error is nobody else's.
  bool SendQuestion(PoolConnection& connection, Work* work, const std::string& sql,
                    std::span<const char* const> values);
  bool EndBatch(PoolConnection& connection);

  std::uint64_t prepares() const { return prepares_; }
  std::uint64_t syncs() const { return syncs_; }

 private:
  StatementForm FormFor(PoolConnection& connection, const PoolHost& host, const Work& work,
                        Time now) const;
  void OpenBatch(PoolConnection& connection, Work* work);
  bool SendStatement(PoolConnection& connection, Work* work);
  bool Prepare(PoolConnection& connection, const Work& lookup);
  bool DeallocateSome(PoolConnection& connection, const Work& lookup);

  SenderOwner* const owner_;
  std::uint64_t last_batch_ = 0;
  std::uint64_t prepares_ = 0;
  std::uint64_t syncs_ = 0;
  std::string sql_;
  std::string parameters_;
  std::vector<std::size_t> parameter_starts_;
  std::vector<const char*> parameter_values_;
  std::string scratch_;
};

}  // namespace proxymux::pgsql
