// What the catalogues of the servers say of tables' statements: whether they may write, and what
// they may do to their sessions (statement_effects.h). Takes the answers, asks whether the
// catalogues have changed, and what is true no more is asked anew.
//
// As long as lookups come, each host is asked twice a second whether its catalogue has changed, if
// some table depends on that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pgsql/connection/pool_connection.h"
#include "pgsql/connection/upstream_connection.h"
#include "pgsql/pool/connection_set.h"
#include "pgsql/pool/open_work.h"
#include "pgsql/pool/pool_context.h"
#include "pgsql/pool/work_sender.h"
#include "pgsql/runtime/event_loop.h"
#include "pgsql/table/statement_effects.h"
#include "pgsql/work/table_binding.h"
#include "pgsql/work/work.h"

namespace proxymux::pgsql {

class CatalogueQuestions {
 public:
  CatalogueQuestions(PoolContext* pool, OpenWork* work, ConnectionSet* connections,
                     WorkSender* sender)
      : pool_(pool), work_(work), connections_(connections), sender_(sender) {}

  // A lookup of the table is submitted.
  void NoteTable(const TableBinding& binding) { needed_ = needed_ || binding.catalogue != 0; }
  // Asks the hosts that are due whether their catalogues have changed, and those that have to prove
  // that they answer (HostSet::AsksFirst), to which any question will do. Nobody is asked when no
  // lookup waits, but a host that was silent, for which none is to wait.
  void AskForStamps();
  // A question was answered, or failed.
  void OnStamp(const PoolConnection& connection, const Work& work, const StatementResult& result);
  void OnEffects(const PoolConnection& connection, Work* work, const StatementResult& result);

 private:
  void AskForStamp(PoolConnection* connection);  // null: nobody is asked
  void LearnStamp(std::size_t host, Time asked, std::uint64_t stamp);
  bool TakeEffects(std::size_t host, const Work& work, StatementEffects effects);
  void TakeForWriter(TableBinding* binding, std::string_view fault);

  PoolContext* const pool_;
  OpenWork* const work_;
  ConnectionSet* const connections_;
  WorkSender* const sender_;
  bool needed_ = false;  // some table depends on what catalogues say
};

}  // namespace proxymux::pgsql
