// Findings as a test compares them: a line each.
#pragma once

#include <string>
#include <vector>

#include "config/values/diagnostic.h"

namespace proxymux::config {

inline std::string Messages(const std::vector<Diagnostic>& diagnostics) {
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics) text += diagnostic.ToString() + "\n";
  return text;
}

// Those of whatever was read.
template <typename Read>
std::string Messages(const Read& read) {
  return Messages(read.diagnostics);
}

}  // namespace proxymux::config
