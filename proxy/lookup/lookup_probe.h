// A pool for one table whose results can be looked at on their way: for `proxymux lookup
// --explain`.
//
// The pool and its connections are the command's own, of the classes that the service uses. The
// probe makes the connections and is their observer; it keeps what the latest result of a lookup
// was, with the rows as the server sent them, and passes every call on to the pool.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "config/values/table_config.h"
#include "pgsql/connection/upstream_connection.h"
#include "pgsql/libpq/pg_connection.h"
#include "pgsql/libpq/pg_conninfo.h"
#include "pgsql/pool/connection_pool.h"
#include "pgsql/work/table_binding.h"
#include "proxy/lookup/lookup_report.h"

namespace proxymux::proxy {

class LookupProbe final : private pgsql::UpstreamFactory, private pgsql::UpstreamObserver {
 public:
  // `model` is the pool that the service would use: its name and settings are taken over. `config`
  // is what `binding` was compiled from. An error text has no secret in it.
  static std::variant<std::unique_ptr<LookupProbe>, std::string> Make(
      const config::TableConfig& config, const pgsql::TableBinding& binding,
      const pgsql::ConnectionPool& model, pgsql::EventLoop* loop, pgsql::PoolObserver* observer);

  const std::shared_ptr<pgsql::ConnectionPool>& pool() const { return pool_; }

  // What the last lookup brought, once; nothing when no server answered it with rows or an error.
  std::optional<ShownStatement> Take();

 private:
  LookupProbe(std::vector<pgsql::ConnectPlan> plans, const pgsql::PgConnectionLimits& limits,
              pgsql::EventLoop* loop);

  // pgsql::UpstreamFactory
  std::unique_ptr<pgsql::UpstreamConnection> NewConnection(
      std::size_t host, pgsql::UpstreamObserver* observer) override;

  // pgsql::UpstreamObserver
  void OnReady(pgsql::UpstreamConnection* connection) override;
  void OnConnectFailed(pgsql::UpstreamConnection* connection,
                       const pgsql::ConnectionFault& failure) override;
  void OnResult(pgsql::UpstreamConnection* connection, pgsql::Work* work,
                const pgsql::StatementResult& result) override;
  void OnNoPooler(pgsql::UpstreamConnection* connection) override;
  void OnOutdated(pgsql::UpstreamConnection* connection) override;
  void OnAllAnswered(pgsql::UpstreamConnection* connection) override;
  void OnLost(pgsql::UpstreamConnection* connection, const pgsql::ConnectionFault& why) override;

  const std::vector<pgsql::ConnectPlan> plans_;
  const pgsql::PgConnectionLimits limits_;
  pgsql::PgCommon common_;
  pgsql::EventLoop* const loop_;
  pgsql::UpstreamObserver* pool_observer_ = nullptr;  // the pool, as its connections know it
  std::optional<ShownStatement> latest_;
  std::shared_ptr<pgsql::ConnectionPool> pool_;
};

}  // namespace proxymux::proxy
