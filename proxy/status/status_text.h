// A /status.json document as text for a terminal: the service, then tables of pools, hosts and map
// tables. On a narrow terminal names lose their middle, and reasons go on in the next line. Fields
// that the document lacks (an older or newer process) show as "-", so that a command line tool of
// another version still works.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

namespace proxymux::proxy {

struct StatusTextError {
  std::string text;
};

// `width` in columns, or kUnlimitedWidth (text_grid.h).
std::variant<std::string, StatusTextError> StatusText(std::string_view json, std::size_t width);

}  // namespace proxymux::proxy
