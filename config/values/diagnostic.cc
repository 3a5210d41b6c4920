#include "config/values/diagnostic.h"

#include <algorithm>

namespace proxymux::config {

std::string_view Word(Severity severity) {
  switch (severity) {
    case Severity::kError:
      return "error";
    case Severity::kWarning:
      return "warning";
    case Severity::kNote:
      return "note";
  }
  return "";
}

std::string Diagnostic::Place() const {
  std::string place = file;
  if (line > 0) {
    if (!place.empty()) place += ':';
    place += std::to_string(line);
    if (column > 0) place += ':' + std::to_string(column);
  }
  return place;
}

std::string Diagnostic::ToString() const {
  std::string out = Place();
  if (!out.empty()) out += ": ";
  out += Word(severity);
  out += ": " + text;
  if (!hint.empty()) out += " (" + hint + ')';
  return out;
}

bool HasErrors(const std::vector<Diagnostic>& diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(),
                     [](const Diagnostic& d) { return d.severity == Severity::kError; });
}

}  // namespace proxymux::config
