#include "pgsql/policy/wait_reason.h"

#include <chrono>

#include "pgsql/connection/pool_connection.h"
#include "pgsql/work/table_binding.h"
#include "pgsql/work/work.h"

namespace proxymux::pgsql {

std::string WaitReason(const PoolView& view, std::size_t limit, std::string_view last_failure) {
  std::string reason = "it was not sent within queue_wait: ";
  if (view.hosts.AllDown()) return reason.append(last_failure);
  std::size_t busy = 0;
  std::size_t slow = 0;
  std::size_t owned = 0;
  const Work* oldest = nullptr;
  for (const auto& connection : view.connections) {
    if (!connection->open()) continue;
    if (!connection->idle()) ++busy;
    if (connection->slow_in_flight() > 0) ++slow;
    if (connection->session.owner != nullptr) ++owned;
    const Work* running = connection->running();
    if (running != nullptr && (oldest == nullptr || running->sent < oldest->sent)) oldest = running;
  }
  if (busy == 0) return reason.append("no connection was ready; ").append(last_failure);
  reason += std::to_string(busy) + " of " + std::to_string(limit) + " connections are busy";
  if (slow > 0) reason += ", " + std::to_string(slow) + " of them with slow statements";
  if (owned > 0) reason += ", " + std::to_string(owned) + " belong to tables that change sessions";
  if (oldest != nullptr) {
    const auto taken =
        std::chrono::duration_cast<std::chrono::milliseconds>(view.now - oldest->sent);
    reason += "; the longest statement, of " + oldest->binding->name + ", has been under way for " +
              std::to_string(taken.count()) + " ms";
  }
  return reason;
}

}  // namespace proxymux::pgsql
