// One thing wrong with a configuration text, and where.
//
// Parsers collect every Diagnostic of a text instead of stopping at the first, so that one run of
// `proxymux check` shows all there is to mend. Values without identity; nothing here logs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace proxymux::config {

enum class Severity {
  kError,
  kWarning,
  kNote,  // good to know, and nothing is to be done
};

// "error", "warning", "note".
std::string_view Word(Severity severity);

struct Diagnostic {
  std::string file;  // path, or the name of what was read ("main.cf"); may be empty
  int line = 0;      // from 1; 0: the file as a whole
  int column = 0;    // from 1; 0: the line as a whole
  Severity severity = Severity::kError;
  std::string text;  // what is wrong and what was expected
  std::string hint;  // what to do about it; may be empty

  // `file:line:column`; parts that are not known are left out.
  std::string Place() const;
  // `file:line:column: error: text (hint)`; parts that are not known are left out.
  std::string ToString() const;

  friend bool operator==(const Diagnostic&, const Diagnostic&) = default;
};

// True when at least one is an error: warnings alone change no behaviour.
bool HasErrors(const std::vector<Diagnostic>& diagnostics);

}  // namespace proxymux::config
