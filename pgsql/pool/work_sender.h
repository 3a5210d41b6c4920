// Sends what was chosen on the connection that was chosen, and counts it. A connection that does
// not take it is dropped, and what was on it waits again.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "pgsql/connection/pool_connection.h"
#include "pgsql/connection/statement_sender.h"
#include "pgsql/pool/connection_set.h"
#include "pgsql/pool/open_work.h"
#include "pgsql/pool/pool_context.h"
#include "pgsql/work/table_binding.h"
#include "pgsql/work/work.h"

namespace proxymux::pgsql {

class WorkSender final : private SenderOwner {
 public:
  WorkSender(PoolContext* pool, OpenWork* work, ConnectionSet* connections)
      : pool_(pool), work_(work), connections_(connections) {}

  // A lookup that waits, or a question. A lookup whose key this connection cannot take is answered.
  void Send(PoolConnection& connection, Work* work);
  // The turn's batches are ended and go out.
  void EndBatches();

  std::uint64_t prepares() const { return sender_.prepares(); }
  std::uint64_t syncs() const { return sender_.syncs(); }

 private:
  // SenderOwner
  Work* NewWork(Work::Kind kind, std::shared_ptr<TableBinding> binding) override {
    return work_->New(kind, std::move(binding));
  }
  void Recycle(Work* work) override { work_->Recycle(work); }
  void CountSent(PoolConnection& connection, Work* work) override {
    connections_->CountSent(connection, work);
  }

  bool SendQuestion(PoolConnection& connection, Work* work);
  bool GoesAlone(const PoolConnection& connection, const Work& work) const;
  void ChooseProtocol(const PoolConnection& connection, Work* work);
  void SendLookup(PoolConnection& connection, Work* work);
  void Check(bool sent, PoolConnection& connection);

  PoolContext* const pool_;
  OpenWork* const work_;
  ConnectionSet* const connections_;
  StatementSender sender_{this};
};

}  // namespace proxymux::pgsql
