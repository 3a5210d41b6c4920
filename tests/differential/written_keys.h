// Fixed keys in ASCII: shapes of addresses, what could be taken for SQL or for a value of another
// type, and white space.
#pragma once

#include <vector>

#include "tests/differential/keys.h"

namespace proxymux::differential {

std::vector<NamedKey> WrittenKeys();

}  // namespace proxymux::differential
