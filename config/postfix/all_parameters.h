// Every parameter as it is written: of main.cf, of `-o`, and the built-in defaults of the release
// that is installed. With them any value can be expanded, also one that stands elsewhere, as those
// of `-o` in master.cf do.
//
// Blocking: reads main.cf and runs postconf(1). Throws nothing.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/postfix/main_cf.h"
#include "config/postfix/parameter_expansion.h"
#include "config/postfix/postconf_run.h"
#include "config/values/diagnostic.h"

namespace proxymux::config {

std::string MainCfPath(const PostconfRequest& request);

// main.cf as written, with the request's overrides behind it (line 0). False when main.cf cannot be
// read; the overrides are there in any case.
bool ReadOwnSettings(const PostconfRequest& request, std::vector<MainCfSetting>* settings,
                     std::vector<Diagnostic>* diagnostics);

// The built-in defaults, not expanded; nothing: postconf(1) does not say.
std::optional<ParameterValues> ReadDefaults(const PostconfRequest& request,
                                            std::vector<Diagnostic>* diagnostics);

// mydomain where only myhostname is set: that without its first label (postconf(5)). `postconf -d`
// takes that of the machine, whatever main.cf says.
std::string DomainOf(const std::string& myhostname);

struct AllParameters {
  std::vector<MainCfSetting> main_cf;   // as ReadOwnSettings() gives them
  ParameterValues values;               // as they count, not expanded
  std::set<std::string> built_in;       // the names that Postfix knows
  std::vector<Diagnostic> diagnostics;  // also why main.cf or the defaults could not be read

  // `own` comes before everything: settings of one service.
  ParameterExpansion Expand(const std::string& value, const ParameterValues& own = {}) const;
};

AllParameters ReadAllParameters(const PostconfRequest& request);

}  // namespace proxymux::config
