// The receiving half of PgConnection: holds what the server answers against what was sent, one
// result after the other as libpq gives them, and tells the observer.
//
// What a batch answered that may fail at its end is kept until the Sync is answered. A result that
// does not fit what was sent loses the connection, since no later answer could be trusted to belong
// to its question.
#pragma once

#include <libpq-fe.h>

#include <string>

#include "pgsql/connection/upstream_connection.h"
#include "pgsql/libpq/pg_handles.h"
#include "pgsql/libpq/pg_held_results.h"
#include "pgsql/libpq/pg_script.h"
#include "pgsql/pipeline/pipeline_ledger.h"
#include "pgsql/pipeline/session_check.h"

namespace proxymux::pgsql {

class PgReceiver {
 public:
  // What the sending half fills and this one empties; all outlive the receiver.
  struct Sent {
    PipelineLedger* ledger;
    SessionCheck* check;
    PgScript* script;
  };
  PgReceiver(UpstreamConnection* connection, UpstreamObserver* observer, Sent sent)
      : upstream_(connection), observer_(observer), sent_(sent) {}
  PgReceiver(const PgReceiver&) = delete;
  PgReceiver& operator=(const PgReceiver&) = delete;

  // `wanted_session` is the value of target_session_attrs; empty: any session will do.
  void Open(PGconn* connection, std::string wanted_session);
  // Also called by the observer from inside the two calls below.
  void Close();

  // Both: false, when nothing more is to be read. The connection was lost if lost_because() says
  // why; otherwise the observer closed it.
  //
  // What PQgetResult gave, which may be null.
  bool Deliver(PgResultHandle result);
  // The oldest statement itself makes the connection useless: it is answered, so that it does not
  // take the next connection along as well.
  bool Refuse(const char* sqlstate, const std::string& message);
  const std::string& lost_because() const { return lost_because_; }
  ConnectionFault::End end() const { return end_; }

  bool may_turn_jit_off() const { return may_turn_jit_off_; }
  // libpq never gives back what it once had to buffer.
  bool swollen() const { return swollen_; }

 private:
  bool DeliverScriptResult(PgResultHandle result);
  bool DeliverSync(PgResultHandle result);
  bool DeliverCheck(PgResultHandle result);
  bool DeliverJitOff(PgResultHandle result);
  bool DeliverAnswer(PgResultHandle result);
  bool EndHeld(HeldResults::Fate fate, const PGresult* error);
  bool SuitsStill();
  bool Tell(Work* work, const StatementResult& result);
  bool Lost(std::string reason);
  bool GiveUp(std::string reason, ConnectionFault::End end);
  bool open() const { return connection_ != nullptr; }

  UpstreamConnection* const upstream_;
  UpstreamObserver* const observer_;
  const Sent sent_;
  PGconn* connection_ = nullptr;
  std::string wanted_session_;
  std::string lost_because_;
  ConnectionFault::End end_ = ConnectionFault::End::kLost;
  int separators_ = 0;             // since the last result
  HeldResults held_;               // of the oldest statements, until their Sync
  PgResultHandle sync_error_;      // of the oldest Sync, which is not over yet
  bool commits_may_fail_ = false;  // of batches that only read
  bool may_turn_jit_off_ = true;
  bool swollen_ = false;
};

}  // namespace proxymux::pgsql
