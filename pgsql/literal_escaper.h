// How a value is made fit for a SQL string literal in one connection's encoding. Implemented over
// libpq by the connection; a query template calls it once for each inserted value.
#pragma once

#include <string>
#include <string_view>

namespace proxymux::pgsql {

class LiteralEscaper {
 public:
  virtual ~LiteralEscaper() = default;

  // Appends `in`, escaped for the inside of '...', to `out`. False: it has no form in the
  // connection's encoding; what was appended does not matter then.
  virtual bool Escape(std::string_view in, std::string* out) = 0;

  // True while the connection has standard_conforming_strings off: Escape doubles backslashes too,
  // and '...' is read as E'...' is.
  virtual bool DoublesBackslashes() const { return false; }

  // True for encodings where 0x5C may be the second byte of a character (SJIS, BIG5, GBK, UHC,
  // GB18030, JOHAB): there a backslash byte cannot be told from a part of a character without
  // decoding.
  virtual bool BackslashMayBeTrailByte() const { return false; }
};

}  // namespace proxymux::pgsql
