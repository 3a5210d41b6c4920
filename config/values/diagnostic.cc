#include "config/values/diagnostic.h"

#include <algorithm>

namespace proxymux::config {

std::string Diagnostic::ToString() const {
  std::string out = file;
  if (line > 0) {
    if (!out.empty()) out += ':';
    out += std::to_string(line);
    if (column > 0) out += ':' + std::to_string(column);
  }
  if (!out.empty()) out += ": ";
  switch (severity) {
    case Severity::kError:
      out += "error: ";
      break;
    case Severity::kWarning:
      out += "warning: ";
      break;
    case Severity::kNote:
      out += "note: ";
      break;
  }
  out += text;
  if (!hint.empty()) out += " (" + hint + ')';
  return out;
}

bool HasErrors(const std::vector<Diagnostic>& diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(),
                     [](const Diagnostic& d) { return d.severity == Severity::kError; });
}

}  // namespace proxymux::config
