// postconf(1) as a program: what it is asked, how it is run, and what it writes. Blocking.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/postfix/program_output.h"
#include "config/values/diagnostic.h"

namespace proxymux::config {

struct PostconfRequest {
  std::string command;           // full path, "$command_directory/postconf"
  std::string config_directory;  // of main.cf
  std::vector<std::string> names;
  // Those of them that are lists: where postconf fails, what cannot be expanded is kMissing in them
  // (parameter_expansion.h). Any other value with such a fault is left out as a whole.
  std::set<std::string> lists;
  // From the command line, `name=value` or `name = value`; $service_name and $process_name in them
  // are the caller's to expand. The last of several for one name counts.
  std::vector<std::string> overrides;
  std::chrono::milliseconds time_limit{10000};  // for each run of the command
  std::size_t max_output = 8 << 20;             // bytes; more is a failure
};

// By name. A name without a value has an empty one.
using ParameterValues = std::map<std::string, std::string>;

ProgramOutput RunPostconf(const PostconfRequest& request, std::vector<std::string> arguments);

// Of its standard output: `name = value` lines.
ParameterValues ReadPostconfOutput(std::string_view out);

// Of its standard error, as warnings: without what it says about names that it does not know (ours,
// and those of tables in main.cf, are known to others), and without what may be a password.
void AddPostconfMessages(std::string_view err, std::vector<Diagnostic>* diagnostics);

}  // namespace proxymux::config
