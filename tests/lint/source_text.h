// A C++ source file as far as the lints need it: its lines, its includes, and its code without
// comments and literals.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace proxymux::lint {

// Of a name or a number.
bool IsWordCharacter(char c);

struct Include {
  std::string header;  // between the delimiters
  bool quoted = false;
  std::size_t line = 0;  // from 1
};

class SourceText {
 public:
  explicit SourceText(std::string_view text);

  std::size_t line_count() const { return line_count_; }
  const std::vector<Include>& includes() const { return includes_; }

  // The text with every character of comments, string and character literals turned into a blank;
  // newlines stay, so positions and line numbers are those of the file.
  const std::string& code() const { return code_; }
  std::size_t LineOf(std::size_t position) const;

 private:
  void FindIncludes(std::string_view text);

  std::size_t line_count_ = 0;
  std::string code_;
  std::vector<Include> includes_;
};

}  // namespace proxymux::lint
