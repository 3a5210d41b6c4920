// Keys that schema.sql has rows for: a list by name, and a random one by the rules that its rows
// were generated with.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/differential/keys.h"
#include "tests/differential/random_source.h"

namespace proxymux::differential {

std::vector<NamedKey> SchemaKeys();

// What some column of the schema holds: an address, a domain, a local part, a pattern, a number, a
// word; in the case that the table has.
std::string RandomSchemaValue(RandomSource& random);

// What one of the tables that `sql` names is likely to have a row for.
std::string RandomHit(RandomSource& random, std::string_view sql);

}  // namespace proxymux::differential
