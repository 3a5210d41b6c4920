#include "pgsql/libpq/pg_input.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace proxymux::pgsql {

InputRest PgInput::ReadAll() {
  if (PQsslInUse(connection_) == 1 || PQgssEncInUse(connection_) == 1) return ReadEncrypted(*this);
  return Read() ? InputRest::kNothing : InputRest::kBroken;
}

bool PgInput::Read() { return PQconsumeInput(connection_) == 1; }

// tcp(7): the kernel counts what it has received in order. libpq encrypts on TCP only.
std::uint64_t PgInput::BytesArrived() const {
  tcp_info info{};
  socklen_t size = sizeof(info);
  if (getsockopt(PQsocket(connection_), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 0;
  return info.tcpi_bytes_received;
}

std::size_t PgInput::BytesInKernel() const {
  int available = 0;
  if (ioctl(PQsocket(connection_), FIONREAD, &available) != 0) return 0;
  return static_cast<std::size_t>(available);
}

}  // namespace proxymux::pgsql
