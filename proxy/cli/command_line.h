// The program's own command line: `proxymux COMMAND ...`, and --help and --version.
//
// Each command is a file of this room that adds itself: Add...Command(app, &status) says its words,
// and sets `status` when the command was given.
#pragma once

namespace proxymux::proxy {

// Runs the one command that the words name. The exit status: 0 for --help and --version, 2 for
// words that no command understands, with one line or more on standard error; all else is the
// command's, as its header says. Catches what CLI11 throws.
int RunCommandLine(int argc, const char* const* argv);

}  // namespace proxymux::proxy
