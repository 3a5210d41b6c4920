// A /status.json document as text for a terminal: the service, then tables of pools, hosts and map
// tables, at most 100 columns wide. Names too long for their column lose their middle. Fields that
// the document lacks (an older or newer process) show as
// "-", so that a command line tool of another version still works.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

namespace proxymux::proxy {

struct StatusTextError {
  std::string text;
};

std::variant<std::string, StatusTextError> StatusText(std::string_view json);

// `text` in at most `width` columns; "~" stands for what was cut from its middle. Counts UTF-8
// characters, not bytes.
std::string FitColumn(std::string_view text, std::size_t width);

}  // namespace proxymux::proxy
