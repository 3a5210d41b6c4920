// The same questions to stock and to proxymux, byte for byte.
//
// Run() makes a private Postfix with all the tables, a stock proxymap and a proxymux beside it, and
// asks, for every table and key: stock's client directly (`postmap -q`, pgsql:), stock's proxymap
// on the wire, and proxymux on the wire in both dialects; and proxymux again for a copy of the
// table in each further statement_mode. Status and value must be the same; where they are not, a
// row of deliberate_differences must say why.
#pragma once

#include <vector>

#include "tests/differential/comparison_report.h"
#include "tests/differential/differential_table.h"
#include "tests/differential/differential_world.h"

namespace proxymux::differential {

class Comparison {
 public:
  using Options = ComparisonOptions;

  explicit Comparison(DifferentialWorld& world) : Comparison(world, Options()) {}
  Comparison(DifferentialWorld& world, Options options);

  // Each call makes an instance of its own and ends it. At most about 250 tables at a time:
  // stock keeps a connection for each in every process.
  ComparisonReport Run(const std::vector<Question>& questions);

 private:
  DifferentialWorld& world_;
  Options options_;
};

}  // namespace proxymux::differential
