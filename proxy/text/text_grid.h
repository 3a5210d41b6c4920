// Text laid out in columns, for a terminal of a given width: cells that lose their middle,
// sentences that go on in the next line, and grids of both. Counts UTF-8 characters, not bytes.
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace proxymux::proxy {

// Wide enough for everything: nothing is cut, nothing goes on in another line.
inline constexpr std::size_t kUnlimitedWidth = std::numeric_limits<std::size_t>::max();

// `text` in at most `width` columns; "~" stands for what was cut from its middle.
std::string FitColumn(std::string_view text, std::size_t width);

// `text` in lines of at most `width` columns, each ended by a newline; broken at spaces, from the
// second line on indented by `indent`. A word that is wider stays whole: it can be copied.
std::string WrapText(std::string_view text, std::size_t width, std::size_t indent);

// Rows of equal length; the first columns hold names and share the room that the others leave, the
// rest is right-aligned.
class TextGrid {
 public:
  TextGrid(std::vector<std::string> heads, std::size_t names);

  // The note stands below the row, whole.
  void Add(std::vector<std::string> row, std::string note = "");
  std::string Render(std::size_t width) const;

 private:
  std::vector<std::size_t> Widths(std::size_t width) const;

  std::size_t names_;
  std::vector<std::vector<std::string>> rows_;
  std::vector<std::string> notes_;  // of each row
};

}  // namespace proxymux::proxy
