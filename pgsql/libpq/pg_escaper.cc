#include "pgsql/libpq/pg_escaper.h"

#include <algorithm>
#include <array>

namespace proxymux::pgsql {

bool PgEscaper::Escape(std::string_view in, std::string* out) {
  const std::size_t before = out->size();
  out->resize(before + 2 * in.size() + 1);
  int error = 0;
  const std::size_t length =
      PQescapeStringConn(connection_, out->data() + before, in.data(), in.size(), &error);
  out->resize(error != 0 ? before : before + length);
  return error == 0;
}

// Asks libpq itself, so that this and what Escape does are never apart.
bool PgEscaper::DoublesBackslashes() const {
  std::array<char, 3> escaped;
  return PQescapeStringConn(connection_, escaped.data(), "\\", 1, nullptr) == 2;
}

std::size_t PgEscaper::CharacterLength(std::string_view text) const {
  if (text.size() == 1) return 1;  // GB18030 looks at two bytes
  const int length = PQmblen(text.data(), PQclientEncoding(connection_));
  return std::clamp<std::size_t>(static_cast<std::size_t>(length), 1, text.size());
}

}  // namespace proxymux::pgsql
