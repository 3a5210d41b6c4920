// Whether bytes are valid UTF-8 by Postfix's rules, which are those of RFC 3629: shortest form
// only, no surrogates (U+D800 to U+DFFF), nothing above U+10FFFF. Empty text is valid.
#pragma once

#include <string_view>

namespace proxymux::proxy {

bool IsValidUtf8(std::string_view text);
bool IsAscii(std::string_view text);

}  // namespace proxymux::proxy
