// Which tables may be read through the service: `proxy_read_maps` (proxymap(8), postconf(5)).
//
// The grammar is that of the newest Postfix, whatever release is installed. Elements are separated
// by commas or white space. What approves a table:
//   proxy:TYPE:NAME                    that table
//   { proxy:TYPE:NAME attr=value ... } the first word of a braced element
//   pipemap:{...}, unionmap:{...}      the elements inside, nested in any depth up to a limit
//   proxy:pipemap:{...}                the composed table itself
//   /file/name                         elements in that file; lines that begin with # are comments
// and the same in the values of the parameters that `smtpd_restriction_classes` names.
// Everything else is ignored. Names are kept without `proxy:`, runs of white space as one blank.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/values/diagnostic.h"

namespace proxymux::config {

struct ApprovalSources {
  std::string proxy_read_maps;            // expanded; an element with kMissing approves nothing
  std::string smtpd_restriction_classes;  // expanded
  // The expanded value of a main.cf parameter; nothing when there is none.
  std::function<std::optional<std::string>(const std::string& name)> parameter;
  // The content of a file, or nothing and `*error` set.
  std::function<std::optional<std::string>(const std::string& path, std::string* error)> read_file;
};

struct ApprovedTables {
  std::set<std::string, std::less<>> tables;  // "TYPE:NAME"
  std::vector<Diagnostic> diagnostics;        // unreadable files, unbalanced braces; the rest stays

  // Compares with runs of white space as one blank. Only composed tables hold any, and postconf(1),
  // unlike the clients that ask, does not keep them as main.cf has them.
  bool Contains(std::string_view table) const;
};

ApprovedTables ReadApprovedTables(const ApprovalSources& sources);

}  // namespace proxymux::config
