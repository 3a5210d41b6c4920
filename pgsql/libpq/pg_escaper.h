// How libpq escapes for one connection: in its encoding, and by what the server last said of
// standard_conforming_strings. Does not own the connection, which must outlive it.
#pragma once

#include <libpq-fe.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "pgsql/sql/literal_escaper.h"

namespace proxymux::pgsql {

class PgEscaper final : public LiteralEscaper {
 public:
  explicit PgEscaper(PGconn* connection) : connection_(connection) {}

  bool Escape(std::string_view in, std::string* out) override;
  bool DoublesBackslashes() const override;
  std::size_t CharacterLength(std::string_view text) const override;

 private:
  PGconn* const connection_;
};

}  // namespace proxymux::pgsql
