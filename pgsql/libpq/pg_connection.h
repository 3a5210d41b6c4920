// One connection to one PostgreSQL server over libpq's non-blocking interface and pipeline mode.
//
// Owns the PGconn once PgConnector has made it, and speaks the extended protocol in a pipeline. It
// never decides policy: what to send, when to Sync, when to give up is the pool's business; it
// reports through UpstreamObserver.
//
// Bounds: what one statement may make libpq buffer is limited (`max_result_bytes`); past that the
// connection is dropped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/values/server_config.h"
#include "pgsql/libpq/pg_connector.h"
#include "pgsql/libpq/pg_conninfo.h"
#include "pgsql/libpq/pg_escaper.h"
#include "pgsql/libpq/pg_handles.h"
#include "pgsql/libpq/pg_held_results.h"
#include "pgsql/libpq/pg_received.h"
#include "pgsql/libpq/pg_script.h"
#include "pgsql/libpq/pipeline_ledger.h"
#include "pgsql/libpq/session_check.h"
#include "pgsql/pool/upstream_connection.h"
#include "pgsql/runtime/event_loop.h"

namespace proxymux::pgsql {

struct PgConnectionLimits {
  Duration connect_timeout;      // one address
  std::size_t max_result_bytes;  // received for one statement
  config::Pooler pooler = config::Pooler::kAuto;
};

class PgConnection final : public UpstreamConnection {
 public:
  PgConnection(const ConnectPlan& plan, PgConnectionLimits limits, EventLoop* loop,
               UpstreamObserver* observer);
  ~PgConnection() override;

  void Connect() override;
  LiteralEscaper& escaper() override { return *escaper_; }
  bool SendStatement(Work* work, const std::string& sql, std::span<const std::uint32_t> types,
                     std::span<const char* const> values) override;
  bool SendQuestion(Work* work, const std::string& sql,
                    std::span<const char* const> values) override;
  bool SendPrepare(Work* work, const std::string& name, const std::string& sql,
                   std::span<const std::uint32_t> types) override;
  bool SendPrepared(Work* work, const std::string& name,
                    std::span<const char* const> values) override;
  bool SendScript(Work* work, const std::string& sql) override;
  bool Sync() override { return EndBatch(/*commits=*/false); }
  bool Commit() override { return EndBatch(/*commits=*/true); }
  bool BatchOpen() const override { return ledger_.batch_open(); }
  bool AllAnswered() const override;
  bool Pooled() const override { return check_.pooled(); }
  bool Swollen() const override { return swollen_; }
  void CancelRunning() override;
  std::vector<Work*> Close() override;

 private:
  enum class State { kIdle, kConnecting, kReady, kClosed };

  void SetState(State state);
  void FinishConnect(PgConnectionHandle handle);
  void OnSocketReady(bool readable, bool writable);
  void ReadResults();
  bool BeginBatch();
  bool EndBatch(bool commits);
  bool DeliverResult(PgResultHandle result);
  bool DeliverScriptResult(PgResultHandle result);
  bool DeliverSync(PgResultHandle result);
  bool DeliverCheck(PgResultHandle result);
  bool DeliverJitOff(PgResultHandle result);
  bool DeliverAnswer(PgResultHandle result);
  bool EndHeld(HeldResults::Fate fate, const PGresult* error);
  bool Sent(Work* work, int outcome);  // `outcome` of a PQsend function
  bool StartScript();
  void RefuseRunning(const char* sqlstate, const std::string& message);
  void ReportLost(const std::string& reason);
  bool Flush();
  void Disconnect();

  const ConnectPlan plan_;
  const PgConnectionLimits limits_;
  EventLoop* const loop_;
  UpstreamObserver* const observer_;

  State state_ = State::kIdle;
  PgConnectionHandle connection_;
  std::optional<PgEscaper> escaper_;  // once ready
  std::unique_ptr<SocketWatch> watch_;
  std::unique_ptr<Timer> read_again_;  // what an encryption library holds makes no socket readable
  std::unique_ptr<PgConnector> connector_;  // while connecting

  PipelineLedger ledger_;
  SessionCheck check_;
  bool may_turn_jit_off_ = true;
  int separators_ = 0;  // since the last result
  PgScript script_;
  HeldResults held_;               // of the oldest statements, until their Sync
  PgResultHandle sync_error_;      // of the oldest Sync, which is not over yet
  bool commits_may_fail_ = false;  // of batches that only read
  std::string wanted_session_;     // target_session_attrs; empty: any
  bool want_write_ = false;
  ReceivedBytes received_;
  bool swollen_ = false;        // libpq never gives back what it once had to buffer
  ConnectionFault last_words_;  // the server's reason for ending the connection
};

}  // namespace proxymux::pgsql
