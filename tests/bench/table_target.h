// What is wanted of a figure of the main table, written into its line with whether it was reached.
// Pure.
#pragma once

#include "tests/bench/main_table.h"

namespace proxymux::bench {

// Figures of more than one part of the table.
inline constexpr char kRate[] = "lookups/s";
inline constexpr char kCpu[] = "processor time per lookup, us";
inline constexpr char kConnections[] = "database connections";

enum class Want { kAtLeast, kAtMost };

// `value` is what is wanted; it is shown with so many digits.
void Judge(TableLine* line, Want want, double value, double measured, int digits);

// Those that a target needs to be shown as it is, at most two.
int DigitsOf(double value);

}  // namespace proxymux::bench
