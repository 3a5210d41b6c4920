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

#include <map>
#include <string>
#include <vector>

#include "config/postfix/main_cf.h"
#include "config/postfix/postconf_run.h"
#include "config/values/diagnostic.h"

namespace proxymux::config {

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
