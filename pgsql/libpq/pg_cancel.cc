#include "pgsql/libpq/pg_cancel.h"

#include <atomic>
#include <system_error>
#include <thread>
#include <utility>

namespace proxymux::pgsql {
namespace {

std::atomic<int> under_way{0};

}  // namespace

bool CancelInBackground(PGconn* connection) {
  PgCancelHandle cancel(PQgetCancel(connection));
  if (cancel == nullptr) return false;
  if (under_way.fetch_add(1) >= kMaxCancelRequests) {
    under_way.fetch_sub(1);
    return false;
  }
  try {
    std::thread([cancel = std::move(cancel)]() mutable {
      char error[256];
      PQcancel(cancel.get(), error, sizeof(error));  // a failure shows as a statement that goes on
      cancel.reset();
      under_way.fetch_sub(1);
    }).detach();
  } catch (const std::system_error&) {
    under_way.fetch_sub(1);
    return false;
  }
  return true;
}

}  // namespace proxymux::pgsql
