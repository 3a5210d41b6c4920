#include "tests/lint/source_text.h"

#include <algorithm>
#include <cctype>

namespace proxymux::lint {
namespace {

void Blank(std::string* text, std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < std::min(end, text->size()); ++i) {
    if ((*text)[i] != '\n') (*text)[i] = ' ';
  }
}

// One past the closing quote of a plain literal that opens at `begin`, or the end of its line.
std::size_t EndOfLiteral(std::string_view text, std::size_t begin) {
  std::size_t i = begin + 1;
  while (i < text.size() && text[i] != text[begin] && text[i] != '\n') {
    i += text[i] == '\\' ? 2 : 1;
  }
  return i + 1;
}

// For `R"delimiter(...)delimiter"` whose quote is at `quote`.
std::size_t EndOfRawLiteral(std::string_view text, std::size_t quote) {
  const std::size_t paren = text.find('(', quote);
  if (paren == std::string_view::npos) return text.size();
  const std::string close = ")" + std::string(text.substr(quote + 1, paren - quote - 1)) + "\"";
  const std::size_t end = text.find(close, paren);
  return end == std::string_view::npos ? text.size() : end + close.size();
}

// A quote that is a digit separator, as in 1'000, or one that opens a character literal?
bool IsDigitSeparator(std::string_view text, std::size_t quote) {
  std::size_t begin = quote;
  while (begin > 0 && (IsWordCharacter(text[begin - 1]) || text[begin - 1] == '\'')) --begin;
  return begin < quote && std::isdigit(static_cast<unsigned char>(text[begin])) != 0;
}

}  // namespace

bool IsWordCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

SourceText::SourceText(std::string_view text) : code_(text) {
  line_count_ = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  if (!text.empty() && text.back() != '\n') ++line_count_;

  // Only comments blanked, so that the names of headers are still there.
  std::string without_comments(text);
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i + 1;
    bool comment = false;
    if (text.substr(i, 2) == "//") {
      comment = true;
      end = std::min(text.find('\n', i), text.size());
    } else if (text.substr(i, 2) == "/*") {
      comment = true;
      const std::size_t close = text.find("*/", i + 2);
      end = close == std::string_view::npos ? text.size() : close + 2;
    } else if (text[i] == '"') {
      const bool raw = i > 0 && text[i - 1] == 'R';
      end = raw ? EndOfRawLiteral(text, i) : EndOfLiteral(text, i);
    } else if (text[i] == '\'' && !IsDigitSeparator(text, i)) {
      end = EndOfLiteral(text, i);
    } else {
      ++i;
      continue;
    }
    Blank(&code_, i, end);
    if (comment) Blank(&without_comments, i, end);
    i = end;
  }
  FindIncludes(without_comments);
}

void SourceText::FindIncludes(std::string_view text) {
  std::size_t line_number = 0;
  while (!text.empty()) {
    ++line_number;
    const std::size_t newline = text.find('\n');
    std::string_view line = text.substr(0, newline);
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);

    const auto skip_blanks = [&line] {
      line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    };
    skip_blanks();
    if (!line.starts_with('#')) continue;
    line.remove_prefix(1);
    skip_blanks();
    if (!line.starts_with("include")) continue;
    line.remove_prefix(7);
    skip_blanks();
    if (line.empty() || (line[0] != '"' && line[0] != '<')) continue;
    const bool quoted = line[0] == '"';
    const std::size_t close = line.find(quoted ? '"' : '>', 1);
    if (close == std::string_view::npos) continue;
    includes_.push_back({std::string(line.substr(1, close - 1)), quoted, line_number});
  }
}

std::size_t SourceText::LineOf(std::size_t position) const {
  const auto end = code_.begin() + static_cast<std::ptrdiff_t>(std::min(position, code_.size()));
  return 1 + static_cast<std::size_t>(std::count(code_.begin(), end, '\n'));
}

}  // namespace proxymux::lint
