#include "proxy/tables/pool_log.h"

#include <fmt/format.h>

#include <chrono>

namespace proxymux::proxy {
namespace {

double Seconds(pgsql::Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

void PoolLog::OnHostUp(const std::string& pool, const pgsql::PoolHost& host,
                       pgsql::Duration was_down) {
  log_->Limited(LogSeverity::kInfo, fmt::format("up {} {}", pool, host.label),
                fmt::format("pool {}: host {} is in use again after {:.1f} s", pool, host.label,
                            Seconds(was_down)));
}

void PoolLog::OnHostDown(const std::string& pool, const pgsql::PoolHost& host) {
  const std::string open =
      host.ready > 0 ? fmt::format("; its {} open connections stay in use", host.ready) : "";
  log_->LimitedWarning(fmt::format("down {} {}", pool, host.label),
                       fmt::format("pool {}: host {} is out of use: {}{}", pool, host.label,
                                   host.health.reason(), open));
}

void PoolLog::OnOutage(const std::string& pool, const std::string& reason, pgsql::Duration wait) {
  const std::string what =
      wait > pgsql::Duration::zero()
          ? fmt::format("lookups wait for one for {:.1f} s (outage_wait)", Seconds(wait))
          : "lookups are answered RETRY until one is back";
  log_->LimitedWarning(fmt::format("outage {}", pool),
                       fmt::format("pool {}: no host can be used ({}): {}", pool, reason, what));
}

void PoolLog::OnOutageOver(const std::string& pool, pgsql::Duration lasted, std::uint64_t waited,
                           std::uint64_t retried) {
  log_->Limited(LogSeverity::kInfo, fmt::format("outage over {}", pool),
                fmt::format("pool {}: a host is in use again after {:.1f} s: {} lookups waited for "
                            "it, {} were answered RETRY",
                            pool, Seconds(lasted), waited, retried));
}

void PoolLog::OnHostSilent(const std::string& pool, const pgsql::PoolHost& host,
                           pgsql::Duration silent) {
  log_->LimitedWarning(
      fmt::format("silent {} {}", pool, host.label),
      fmt::format("pool {}: host {} has not answered for {:.1f} s: its lookups are asked of other "
                  "hosts as well, and a new connection puts it to the test",
                  pool, host.label, Seconds(silent)));
}

void PoolLog::OnHostBehind(const std::string& pool, const pgsql::PoolHost& host, bool used) {
  const char* what_follows = "it is not used until it has caught up";
  if (used) {
    what_follows =
        "no other that is not behind can be reached, and it is used all the same (when_all_lag)";
  } else if (host.lag.Demoted()) {
    what_follows = "it gets no lookups as long as that is so";
  } else if (host.lag.Apart()) {
    what_follows = "it gets no lookups until it follows the new primary";
  }
  log_->LimitedWarning(
      fmt::format("behind {} {} {}", pool, host.label, what_follows),
      fmt::format("pool {}: host {}: {}: {}", pool, host.label, host.lag.Why(), what_follows));
}

void PoolLog::OnHostCaughtUp(const std::string& pool, const pgsql::PoolHost& host,
                             pgsql::Duration was_behind, bool was_apart) {
  log_->Limited(LogSeverity::kInfo, fmt::format("caught up {} {}", pool, host.label),
                fmt::format("pool {}: host {} {} after {:.1f} s", pool, host.label,
                            was_apart ? "is in use again" : "has caught up", Seconds(was_behind)));
}

void PoolLog::OnLagUnknown(const std::string& pool, const pgsql::PoolHost& host,
                           std::string_view reason) {
  log_->LimitedWarning(
      fmt::format("lag unknown {} {}", pool, host.label),
      fmt::format("pool {}: host {} cannot be asked how far it is behind or whether it is "
                  "the primary ({}): it is used all the same",
                  pool, host.label, reason));
}

void PoolLog::OnConnectionLost(const std::string& pool, const pgsql::PoolHost& host,
                               const std::string& reason, std::size_t unanswered) {
  const std::string kind = fmt::format("lost {} {}", pool, host.label);
  const std::string text =
      fmt::format("pool {}: connection to host {} lost: {}", pool, host.label, reason);
  if (unanswered == 0) {
    log_->Limited(LogSeverity::kInfo, kind, text);
  } else {
    log_->LimitedWarning(
        kind, fmt::format("{}; {} lookups under way on it are sent again", text, unanswered));
  }
}

void PoolLog::OnStatementTimeout(const std::string& pool, const pgsql::PoolHost& host,
                                 const pgsql::TableBinding& binding) {
  log_->LimitedWarning(
      fmt::format("timeout {}", binding.name),
      fmt::format("table {}: no answer from host {} (pool {}) within query_timeout ({} ms): the "
                  "statement is cancelled",
                  binding.name, host.label, pool, binding.settings.query_timeout.count()));
}

void PoolLog::OnUnclassified(const pgsql::TableBinding& binding, std::string_view reason) {
  log_->LimitedWarning(
      fmt::format("unclassified {}", binding.name),
      fmt::format("table {}: the catalogue does not tell whether its query may write ({}): it is "
                  "taken for one that does, and its lookups are not shared",
                  binding.name, reason));
}

void PoolLog::OnOwnSession(const pgsql::TableBinding& binding) {
  log_->Limited(LogSeverity::kInfo, fmt::format("session {}", binding.name),
                fmt::format("table {}: its query may change the session ({}): it gets database "
                            "connections that no other table shares",
                            binding.name, binding.session_reason));
}

void PoolLog::OnKeptAsText(const pgsql::TableBinding& binding) {
  log_->Limited(LogSeverity::kInfo, fmt::format("text {}", binding.name),
                fmt::format("table {}: its query is sent as text from now on: {}", binding.name,
                            binding.plan.text_reason()));
}

void PoolLog::OnStatementsVanish(const std::string& pool, const pgsql::PoolHost& host) {
  log_->LimitedWarning(
      fmt::format("vanish {} {}", pool, host.label),
      fmt::format("pool {}: prepared statements do not last on host {} (a transaction pooler?): "
                  "queries are sent as text there for a while; statement_mode = legacy avoids this",
                  pool, host.label));
}

}  // namespace proxymux::proxy
