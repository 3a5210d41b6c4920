// RAII owners of libpq's objects.
#pragma once

#include <libpq-fe.h>

#include <memory>

namespace proxymux::pgsql {

struct PgFinish {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
struct PgClear {
  void operator()(PGresult* result) const { PQclear(result); }
};
#ifdef LIBPQ_HAS_ASYNC_CANCEL
using PgCancel = PGcancelConn;
struct PgFreeCancel {
  void operator()(PgCancel* cancel) const { PQcancelFinish(cancel); }
};
#else
using PgCancel = PGcancel;
struct PgFreeCancel {
  void operator()(PgCancel* cancel) const { PQfreeCancel(cancel); }
};
#endif
struct PgFreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
struct PgFreeMemory {
  void operator()(char* memory) const { PQfreemem(memory); }
};

using PgConnectionHandle = std::unique_ptr<PGconn, PgFinish>;
using PgResultHandle = std::unique_ptr<PGresult, PgClear>;
using PgCancelHandle = std::unique_ptr<PgCancel, PgFreeCancel>;
using PgOptionsHandle = std::unique_ptr<PQconninfoOption, PgFreeOptions>;
using PgMemoryHandle = std::unique_ptr<char, PgFreeMemory>;

}  // namespace proxymux::pgsql
