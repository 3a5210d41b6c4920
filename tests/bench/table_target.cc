#include "tests/bench/table_target.h"

#include "tests/bench/sample.h"

namespace proxymux::bench {

void Judge(TableLine* line, Want want, double value, double measured, int digits) {
  line->target = (want == Want::kAtLeast ? ">= " : "<= ") + Number(value, digits);
  line->met = (want == Want::kAtLeast ? measured >= value : measured <= value) ? "yes" : "no";
}

int DigitsOf(double value) {
  for (int digits = 0; digits < 2; ++digits) {
    const double scaled = value * (digits == 0 ? 1 : 10);
    if (scaled == static_cast<double>(static_cast<long>(scaled))) return digits;
  }
  return 2;
}

}  // namespace proxymux::bench
