// `proxymux config show`: every setting of proxymux.yaml in effect, with what is wrong in the file
// on standard error. `proxymux config reference`: every setting with its meaning, as an example
// file; reads nothing.
//
// Exit status: 1 when proxymux.yaml has errors (what is in effect is shown all the same) or its
// directory is not there; a missing file is none.
#pragma once

#include <CLI/CLI.hpp>

namespace proxymux::proxy {

// Adds the commands to the program's; their callbacks set `*status`.
void AddConfigCommand(CLI::App* app, int* status);

}  // namespace proxymux::proxy
