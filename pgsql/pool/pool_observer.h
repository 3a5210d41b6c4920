// What a pool has to tell as it happens; the views die with the call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "pgsql/host/host_set.h"
#include "pgsql/runtime/event_loop.h"
#include "pgsql/work/table_binding.h"

namespace proxymux::pgsql {

class PoolObserver {
 public:
  virtual ~PoolObserver() = default;
  virtual void OnHostUp(const std::string& pool, const PoolHost& host, Duration was_down) = 0;
  virtual void OnHostDown(const std::string& pool, const PoolHost& host) = 0;
  // No host can serve: lookups wait for as long as `wait`, or not any more (0).
  virtual void OnOutage(const std::string& pool, const std::string& reason, Duration wait) = 0;
  // One can again. So many lookups waited, so many were answered kRetry.
  virtual void OnOutageOver(const std::string& pool, Duration lasted, std::uint64_t waited,
                            std::uint64_t retried) = 0;
  // The host is further behind its primary than max_replica_lag, or apart (ReplicaLag::Apart);
  // again when it is so for another reason. `used`: all are behind, and this one is asked all the
  // same.
  virtual void OnHostBehind(const std::string& pool, const PoolHost& host, bool used) = 0;
  // Not any more. `was_apart`: it was not behind, but apart.
  virtual void OnHostCaughtUp(const std::string& pool, const PoolHost& host, Duration was_behind,
                              bool was_apart) = 0;
  // With max_replica_lag: how far the host is behind cannot be asked there; it is used.
  virtual void OnLagUnknown(const std::string& pool, const PoolHost& host,
                            std::string_view reason) = 0;
  // A connection owes answers for that long; the host is put to the test.
  virtual void OnHostSilent(const std::string& pool, const PoolHost& host, Duration silent) = 0;
  virtual void OnConnectionLost(const std::string& pool, const PoolHost& host,
                                const std::string& reason, std::size_t unanswered) = 0;
  // A statement was not answered within its limit and is being cancelled.
  virtual void OnStatementTimeout(const std::string& pool, const PoolHost& host,
                                  const TableBinding& binding) = 0;
  // The catalogue could not be asked about a table's statement: it is taken for one that may write.
  virtual void OnUnclassified(const TableBinding& binding, std::string_view reason) = 0;
  // A table's statement may change the session: it gets connections that no other table shares.
  virtual void OnOwnSession(const TableBinding& binding) = 0;
  // The server takes a table's query as text only; the reason is the plan's.
  virtual void OnKeptAsText(const TableBinding& binding) = 0;
  // Statements that were prepared on a host are unknown there, more than once: none is prepared
  // there for a while.
  virtual void OnStatementsVanish(const std::string& pool, const PoolHost& host) = 0;
};

}  // namespace proxymux::pgsql
