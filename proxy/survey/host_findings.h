// What several hosts say to the query of one table, told once. Pure.
#pragma once

#include <string>
#include <vector>

#include "config/values/diagnostic.h"

namespace proxymux::proxy {

struct HostFindings {
  std::string host;  // its label
  std::vector<config::Diagnostic> said;
};

// Of all hosts that were asked about the table, in their order. Where not all of them say the same,
// the text names those that do.
std::vector<config::Diagnostic> MergeFindings(const std::vector<HostFindings>& hosts);

}  // namespace proxymux::proxy
