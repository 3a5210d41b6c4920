// `proxymux config show` and `proxymux config reference`: the settings of proxymux.yaml, as they are
// and as they may be.
#pragma once

#include <CLI/CLI.hpp>

namespace proxymux::proxy {

// Adds the commands to the program's; their callbacks set `*status`: 1 when proxymux.yaml has errors
// or its directory is not there.
void AddConfigCommand(CLI::App* app, int* status);

}  // namespace proxymux::proxy
