// `proxymux bench`: a load generator for proxymap services, proxymux or stock. This is its command
// line; the run itself is UvBench (proxy/bench), its text and JSON are BenchText() and BenchJson().
//
// Exit status: 0 there were answers, and none was wrong, lost or malformed; 1 otherwise, or the run
// could not be made; 2 the command line is wrong. The reason is on standard error.
#pragma once

#include <CLI/CLI.hpp>

namespace proxymux::proxy {

// Adds the command to the program's; its callback sets `*status`.
void AddBenchCommand(CLI::App* app, int* status);

}  // namespace proxymux::proxy
