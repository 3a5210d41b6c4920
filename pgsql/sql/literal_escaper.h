// How a value is made fit for a SQL string literal in one connection's encoding. Implemented over
// libpq by the connection; a query template calls it once for each inserted value.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace proxymux::pgsql {

class LiteralEscaper {
 public:
  virtual ~LiteralEscaper() = default;

  // Appends `in`, escaped for the inside of '...', to `out`. False: `in` has no form in the
  // connection's encoding; what was appended does not matter then.
  virtual bool Escape(std::string_view in, std::string* out) = 0;

  // True while the session is known to have standard_conforming_strings off: Escape doubles
  // backslashes too, and '...' is read as E'...' is. A server's reload may change it between two
  // calls, and the server may be ahead of what is known here.
  virtual bool DoublesBackslashes() const { return false; }

  // The bytes of the character that `text`, which is not empty, begins with: 1 to text.size(). In
  // SJIS, BIG5, GBK, UHC, GB18030 and JOHAB the bytes behind the first one may look like ASCII, a
  // backslash among them.
  virtual std::size_t CharacterLength(std::string_view text) const {
    static_cast<void>(text);
    return 1;
  }
};

}  // namespace proxymux::pgsql
