// `proxymux bench`: a load generator for proxymap services, proxymux or stock. This is its command
// line; the run itself is UvBench.
#pragma once

#include <CLI/CLI.hpp>

namespace proxymux::proxy {

// Adds the command to the program's; its callback sets `*status`: 0, 1 when answers were wrong or
// lost or there were none, 2 when the command line is wrong.
void AddBenchCommand(CLI::App* app, int* status);

}  // namespace proxymux::proxy
