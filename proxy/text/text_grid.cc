#include "proxy/text/text_grid.h"

#include <algorithm>
#include <utility>

namespace proxymux::proxy {
namespace {

constexpr std::string_view kGap = "  ";
constexpr std::size_t kNoteIndent = 4;
constexpr std::size_t kNarrowest = 4;  // of a column with names

// The number of UTF-8 characters: bytes that do not continue one.
std::size_t Columns(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

// The byte where the character number `index` begins.
std::size_t ByteOf(std::string_view text, std::size_t index) {
  std::size_t seen = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80 && seen++ == index) return i;
  }
  return text.size();
}

}  // namespace

std::string FitColumn(std::string_view text, std::size_t width) {
  const std::size_t columns = Columns(text);
  if (columns <= width) return std::string(text);
  if (width == 0) return "";
  const std::size_t tail = width * 2 / 3;  // files differ at the end of their names
  const std::size_t head = width - 1 - tail;
  std::string fitted(text.substr(0, ByteOf(text, head)));
  fitted += '~';
  fitted += text.substr(ByteOf(text, columns - tail));
  return fitted;
}

std::string WrapText(std::string_view text, std::size_t width, std::size_t indent) {
  std::string out;
  std::size_t used = 0;   // columns of the line so far
  bool has_word = false;  // has the line more than its indentation
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string_view word = text.substr(at, end - at);
    const std::size_t columns = Columns(word);
    const bool begins = at == 0;
    if (!begins && has_word && columns >= width - std::min(width, used)) {
      out += '\n' + std::string(indent, ' ');
      used = indent;
      has_word = false;
    } else if (!begins) {
      out += ' ';
      ++used;
    }
    out += word;
    used += columns;
    has_word = has_word || !word.empty();
    at = end + 1;
  }
  return out + "\n";
}

TextGrid::TextGrid(std::vector<std::string> heads, std::size_t names)
    : names_(names), rows_{std::move(heads)}, notes_{""} {}

void TextGrid::Add(std::vector<std::string> row, std::string note) {
  rows_.push_back(std::move(row));
  notes_.push_back(std::move(note));
}

std::string TextGrid::Render(std::size_t width) const {
  const std::vector<std::size_t> widths = Widths(width);
  std::string out;
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    std::string line;
    for (std::size_t c = 0; c < widths.size(); ++c) {
      const std::string cell = FitColumn(rows_[r][c], widths[c]);
      const std::string padding(widths[c] - Columns(cell), ' ');
      if (c > 0) line += kGap;
      line += c < names_ ? cell + padding : padding + cell;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
    if (notes_[r].empty()) continue;
    out += WrapText(std::string(kNoteIndent, ' ') + notes_[r], width, kNoteIndent);
  }
  return out;
}

std::vector<std::size_t> TextGrid::Widths(std::size_t width) const {
  std::vector<std::size_t> widths(rows_[0].size());
  std::size_t total = kGap.size() * (widths.size() - 1);
  for (std::size_t c = 0; c < widths.size(); ++c) {
    for (const auto& row : rows_) widths[c] = std::max(widths[c], Columns(row[c]));
    total += widths[c];
  }
  while (total > width) {
    const auto widest =
        std::max_element(widths.begin(), widths.begin() + static_cast<std::ptrdiff_t>(names_));
    if (*widest <= kNarrowest) break;
    --*widest;
    --total;
  }
  return widths;
}

}  // namespace proxymux::proxy
