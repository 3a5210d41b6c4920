// One connection to one PostgreSQL server over libpq's non-blocking interface and pipeline mode.
//
// Owns the PGconn once PgConnector has made it, and speaks the extended protocol in a pipeline;
// what comes back PgReceiver holds against what was sent. It never decides policy: what to send,
// when to Sync, when to give up is the pool's business; it reports through UpstreamObserver.
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
#include "pgsql/connection/silent_addresses.h"
#include "pgsql/connection/upstream_connection.h"
#include "pgsql/libpq/pg_cancel.h"
#include "pgsql/libpq/pg_connector.h"
#include "pgsql/libpq/pg_conninfo.h"
#include "pgsql/libpq/pg_escaper.h"
#include "pgsql/libpq/pg_handles.h"
#include "pgsql/libpq/pg_received.h"
#include "pgsql/libpq/pg_receiver.h"
#include "pgsql/libpq/pg_script.h"
#include "pgsql/pipeline/pipeline_ledger.h"
#include "pgsql/pipeline/session_check.h"
#include "pgsql/runtime/event_loop.h"

namespace proxymux::pgsql {

struct PgConnectionLimits {
  Duration connect_timeout;      // one address
  std::size_t max_result_bytes;  // received for one statement
  config::Pooler pooler = config::Pooler::kAuto;
};

// What the connections of one pool have in common. Must outlive them.
struct PgCommon {
  explicit PgCommon(EventLoop* loop) : cancels(loop) {}

  SilentAddresses silent;
  CancelRequests cancels;
};

class PgConnection final : public UpstreamConnection {
 public:
  PgConnection(const ConnectPlan& plan, PgConnectionLimits limits, PgCommon* common,
               EventLoop* loop, UpstreamObserver* observer);
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
  std::string ServerVersion() const override;
  bool Swollen() const override { return receiver_.swollen(); }
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
  bool Sent(Work* work, int outcome);  // `outcome` of a PQsend function
  bool StartScript();
  void Stop();
  void ReportLost(const std::string& reason);
  bool Flush();
  void Disconnect();

  const ConnectPlan plan_;
  const PgConnectionLimits limits_;
  PgCommon* const common_;
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
  PgScript script_;
  PgReceiver receiver_;
  bool want_write_ = false;
  ReceivedBytes received_;
  ConnectionFault last_words_;  // the server's reason for ending the connection
};

}  // namespace proxymux::pgsql
