// main.cf parameters, expanded, by way of postconf(1).
//
// postconf knows the built-in defaults, which differ by release, and the expansion rules. It also
// fails as a whole when some file that main.cf refers to is malformed, leaves out names it does not
// know, prints runs of white space as one blank, and takes up to two seconds when main.cf is less
// than two seconds old. So it is called once for any number of names; and when it fails, main.cf is
// read by our own code over the defaults of `postconf -d`. (mynetworks, when it is not set, then
// has the default of compatibility level 0.)
//
// Blocking; for start-up and for a worker thread. Throws nothing.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "config/postfix/main_cf.h"
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

struct PostconfResult {
  std::map<std::string, std::string> values;  // names that nobody knows are left out
  std::vector<Diagnostic> diagnostics;        // what postconf wrote, why it failed
  bool used_fallback = false;                 // postconf failed; main.cf was read without it
  bool ok = true;  // false: not even main.cf or the defaults could be read
};

PostconfResult ReadParameters(const PostconfRequest& request);

// Every setting of main.cf and every override (line 0), expanded with postconf's values for what
// they refer to. Settings that postconf does not know (NAME_hosts, ...) are in it.
struct MainCfSettings {
  std::string file;
  // Repeated names kept, in order, the one that counts last. What cannot be expanded has a fault.
  std::vector<MainCfSetting> settings;
  std::vector<Diagnostic> diagnostics;
  bool ok = true;
};

MainCfSettings ReadMainCf(const PostconfRequest& request);

}  // namespace proxymux::config
