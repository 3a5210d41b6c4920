// The file syntax that main.cf and pgsql_table(5) files share: `name = value`, one logical line per
// setting (postconf(5), "The general format of the main.cf file").
//
// A line that begins with white space continues the logical line before it: joined without the line
// break, its own leading white space kept. Empty lines and lines whose first non-blank character is
// `#` are skipped, also between continuation lines. White space around name and value goes, a CR at
// the end of a line too. Nothing is expanded and nothing but the first `=` is special.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/values/diagnostic.h"

namespace proxymux::config {

// Where in a text of several lines of a file one of them begins.
struct LineBreak {
  std::size_t offset;  // bytes into the text
  int line;

  friend bool operator==(const LineBreak&, const LineBreak&) = default;
};

// Where a text stands in its file: the line that it begins in, and those that continue it.
struct TextPlace {
  int line = 0;  // 0: it is not known
  std::vector<LineBreak> breaks;

  // Of that byte of the text.
  int LineAt(std::size_t offset) const;

  friend bool operator==(const TextPlace&, const TextPlace&) = default;
};

struct LogicalLine {
  std::string text;
  TextPlace place;
};

// The logical lines of a text. A first line that begins with white space continues nothing: it is
// dropped with a warning. `file` is only for the diagnostics.
std::vector<LogicalLine> ReadLogicalLines(std::string_view text, const std::string& file,
                                          std::vector<Diagnostic>* diagnostics);

struct MainCfSetting {
  std::string name;
  std::string value;
  int line = 0;  // where the logical line begins
  // Set where values are expanded and this one cannot be: why. The value then has kMissing
  // (parameter_expansion.h) in the place of what is missing.
  std::string fault{};
  // Where the value goes on with another line; empty, too, where expansion has changed it.
  std::vector<LineBreak> breaks{};
};

struct MainCf {
  std::vector<MainCfSetting> settings;  // in the file's order, repeated names kept
  // Errors: a logical line without a name or without `=` (never quoted: it may hold a password).
  // Warnings: a dropped first line, a byte order mark, a NUL byte (what follows it is ignored).
  std::vector<Diagnostic> diagnostics;
};

MainCf ParseMainCf(std::string_view text, const std::string& file);

// The value that counts for each name: the last one. None when that one has a fault.
std::map<std::string, std::string> LastValues(const std::vector<MainCfSetting>& settings);

}  // namespace proxymux::config
