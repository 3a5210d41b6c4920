// A random key: one that schema.sql has rows for, a fixed one, or a mutation or combination of
// those. Bytes 1 to 255, never empty.
#pragma once

#include <string>

#include "tests/differential/random_source.h"

namespace proxymux::differential {

std::string RandomKey(RandomSource& random);

}  // namespace proxymux::differential
