// Lines of the main table about something that is added to the usual load: idle clients, busy ones,
// tables, clients of a table whose query is slow. Pure.
#pragma once

#include <vector>

#include "tests/bench/main_table.h"

namespace proxymux::bench {

// What was not measured adds no line.
void AddTenThousand(const MainResults& results, std::vector<TableLine>* lines);
void AddGrown(const MainResults& results, std::vector<TableLine>* lines);
void AddFairness(const MainResults& results, std::vector<TableLine>* lines);

}  // namespace proxymux::bench
