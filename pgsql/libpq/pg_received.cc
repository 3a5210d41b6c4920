#include "pgsql/libpq/pg_received.h"

#include <sys/ioctl.h>

#include <algorithm>

namespace proxymux::pgsql {
namespace {

// Reads that bring no complete result before the bytes are counted: small results never pay for it.
constexpr int kReadsBeforeCounting = 16;

// libpq makes that much room in its buffer before it reads.
constexpr std::size_t kLeastRead = 8192;

std::size_t BytesWaiting(const PGconn* connection) {
  int available = 0;
  if (ioctl(PQsocket(connection), FIONREAD, &available) != 0) return 0;
  return static_cast<std::size_t>(available);
}

}  // namespace

void ReceivedBytes::BeginRead(const PGconn* connection) {
  waiting_ = ++reads_ > kReadsBeforeCounting ? BytesWaiting(connection) : 0;
}

void ReceivedBytes::EndRead(const PGconn* connection) {
  if (waiting_ == 0) return;
  // What was taken. More may have come meanwhile, then at least what libpq has room for.
  const std::size_t after = BytesWaiting(connection);
  count_ += std::max(waiting_ > after ? waiting_ - after : 0, std::min(waiting_, kLeastRead));
}

}  // namespace proxymux::pgsql
