// What libpq has to read on a connection: plain, or through TLS or GSSAPI.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pgsql/libpq/encrypted_input.h"
#include "pgsql/libpq/pg_handles.h"

namespace proxymux::pgsql {

class PgInput final : public InputSource {
 public:
  explicit PgInput(PGconn* connection) : connection_(connection) {}

  // Everything that the connection has now. What it has later makes its socket readable, unless
  // the answer is kPerhaps.
  InputRest ReadAll();

  bool Read() override;
  std::uint64_t BytesArrived() const override;
  std::size_t BytesInKernel() const override;

 private:
  PGconn* const connection_;
};

}  // namespace proxymux::pgsql
