// Fixed keys beyond ASCII: UTF-8 that folding changes or that a lexer could take for something
// else, and what is not UTF-8.
#pragma once

#include <vector>

#include "tests/differential/keys.h"

namespace proxymux::differential {

// Names of keys that are not UTF-8 begin with "bad-".
std::vector<NamedKey> EncodingKeys();

}  // namespace proxymux::differential
