// The only permitted differences between stock and proxymux, one row each: a name, why (and where
// it is written down), and when it applies. Everything else is a disagreement.
//
// Predicates are as narrow as can be told from the outside: from the table's text and traits, the
// key, and both answers. They do not ask proxymux's own parsers.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "tests/differential/answered.h"
#include "tests/differential/differential_table.h"
#include "tests/harness/installed_postfix.h"

namespace proxymux::differential {

struct Difference {
  const DifferentialTable& table;
  const std::string& key;  // as asked, not folded
  bool smtputf8;
  const std::string& mode;  // the statement_mode of a copy of the table, else empty
  const Answered& stock;
  const Answered& ours;
};

struct DeliberateDifference {
  const char* name;
  const char* reason;
  bool (*explains)(const Difference&);
  // From this release of Postfix on stock does as we do.
  harness::PostfixRelease until = {std::numeric_limits<int>::max(), 0};
};

// Those of the installed release.
const std::vector<DeliberateDifference>& DeliberateDifferences();

// The first row that explains it; null when none does.
const DeliberateDifference* Explain(const Difference& difference);

}  // namespace proxymux::differential
