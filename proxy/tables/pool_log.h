// What the pools have to tell, as log lines that an administrator can act on. No secrets: hosts
// come by their labels.
#pragma once

#include <string>
#include <string_view>

#include "pgsql/pool/pool_observer.h"
#include "proxy/log/message_log.h"

namespace proxymux::proxy {

class PoolLog final : public pgsql::PoolObserver {
 public:
  explicit PoolLog(MessageLog* log) : log_(log) {}

  void OnHostUp(const std::string& pool, const pgsql::PoolHost& host,
                pgsql::Duration was_down) override;
  void OnHostDown(const std::string& pool, const pgsql::PoolHost& host) override;
  void OnOutage(const std::string& pool, const std::string& reason, pgsql::Duration wait) override;
  void OnOutageOver(const std::string& pool, pgsql::Duration lasted, std::uint64_t waited,
                    std::uint64_t retried) override;
  void OnHostSilent(const std::string& pool, const pgsql::PoolHost& host,
                    pgsql::Duration silent) override;
  void OnHostBehind(const std::string& pool, const pgsql::PoolHost& host, bool used) override;
  void OnHostCaughtUp(const std::string& pool, const pgsql::PoolHost& host,
                      pgsql::Duration was_behind, bool was_apart) override;
  void OnLagUnknown(const std::string& pool, const pgsql::PoolHost& host,
                    std::string_view reason) override;
  void OnConnectionLost(const std::string& pool, const pgsql::PoolHost& host,
                        const std::string& reason, std::size_t unanswered) override;
  void OnStatementTimeout(const std::string& pool, const pgsql::PoolHost& host,
                          const pgsql::TableBinding& binding) override;
  void OnUnclassified(const pgsql::TableBinding& binding, std::string_view reason) override;
  void OnOwnSession(const pgsql::TableBinding& binding) override;
  void OnKeptAsText(const pgsql::TableBinding& binding) override;
  void OnStatementsVanish(const std::string& pool, const pgsql::PoolHost& host) override;

 private:
  MessageLog* const log_;
};

}  // namespace proxymux::proxy
