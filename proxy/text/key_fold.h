// Folding a lookup key to lower case, as Postfix does with dictionary flag FOLD_FIX.
//
// FoldAscii: A-Z only; every other byte stays. FoldUtf8: Unicode case folding with ICU's default
// options, for tables with UTF8_ACTIVE; pure ASCII takes the short way without ICU. Both write into
// `*folded` (its capacity is used again, so a caller that keeps the string does not allocate) and
// leave the source alone; `key` must not point into `*folded`.
#pragma once

#include <string>
#include <string_view>

namespace proxymux::proxy {

void FoldAscii(std::string_view key, std::string* folded);

// False when the key cannot be folded (not valid UTF-8 in ICU's eyes is not among the reasons:
// check IsValidUtf8 first; what remains is a failure inside ICU). `*folded` is then unspecified.
bool FoldUtf8(std::string_view key, std::string* folded);

// A domain, as the lists of `domain` settings are compared: Unicode case folding with
// smtputf8_enable, else ASCII. What cannot be folded stays as it is.
void FoldDomain(std::string_view domain, bool smtputf8_enable, std::string* folded);

}  // namespace proxymux::proxy
