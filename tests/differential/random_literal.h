// A text with placeholders written as an SQL literal, in any of PostgreSQL's quotings.
#pragma once

#include <string>
#include <string_view>

#include "tests/differential/random_source.h"

namespace proxymux::differential {

// `inside` is what the literal holds, placeholders and %% as in a pgsql_table(5) query; no
// backslashes. Mostly plain quotes; sometimes a literal in pieces, E'', U&'', N'', dollar quotes.
// (What continues a literal is a carriage return: a .cf file's logical lines have no newline.)
std::string RandomLiteral(RandomSource& random, std::string_view inside);

// The same with plain quotes only.
std::string PlainLiteral(std::string_view inside);

}  // namespace proxymux::differential
