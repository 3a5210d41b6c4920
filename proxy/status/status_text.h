// A /status.json document as text for a terminal: the service, then tables of pools, hosts and map
// tables. On a narrow terminal names lose their middle, and reasons go on in the next line. Fields
// that the document lacks (an older or newer process) show as "-", so that a command line tool of
// another version still works.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace proxymux::proxy {

struct StatusTextError {
  std::string text;
};

// How map tables are sorted; those that are the same, by name.
enum class TableOrder : std::uint8_t { kName, kRate, kFailures, kLatency };

struct StatusView {
  std::size_t width = 0;  // in columns, or kUnlimitedWidth (text_grid.h)
  bool wide = false;      // with all columns, and the latest failure of each host and table
  TableOrder order = TableOrder::kName;
  bool interval = false;  // rates are those since the view before (RatesSince)
};

std::variant<std::string, StatusTextError> StatusText(std::string_view json,
                                                      const StatusView& view);

}  // namespace proxymux::proxy
