// The keys that both are asked: given one a line, or taken from a mail log. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace proxymux::proxy {

struct ComparedKeys {
  std::vector<std::string> keys;  // each once
  std::size_t left_out = 0;       // lines with a control character: a tab or a newline ends a key
  std::size_t beyond_limit = 0;   // lines of keys that were not looked at
};

// One a line, as `postmap -q -` reads them, in their order, `limit` at most. Empty lines are none.
ComparedKeys KeysOfLines(std::string_view text, std::size_t limit);

// For each address behind from=, to= and orig_to= in Postfix's log (what smtpd, qmgr and delivery
// agents write): the address, its domain, and the domain behind an @, which are what tables are
// asked for. Those of the latest lines first, `limit` at most; what is older is not counted.
ComparedKeys KeysOfLog(std::string_view log, std::size_t limit);

}  // namespace proxymux::proxy
