// Which lookup tables a value of main.cf names, and how its readers get at them. Pure.
//
// Known are the ways in which Postfix composes tables (DATABASE_README): pipemap and unionmap,
// whose parts are tables themselves, debug, which stands before one, and braces around an element
// with attributes (SMTPD_ACCESS_README).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace proxymux::config {

struct TableUse {
  enum class Way {
    kDirect,       // each process opens it for itself
    kProxied,      // behind proxy:, asked of proxymap(8)
    kWithinProxy,  // a part of a table that is behind proxy:, opened by proxymap(8) itself
  };
  std::string table;  // "TYPE:NAME", without proxy:
  Way way = Way::kDirect;

  friend bool operator==(const TableUse&, const TableUse&) = default;
};

// In the order of the text. What has no type is no table, nor is what is only a value
// (inline:{...}, static:...).
std::vector<TableUse> UsedTables(std::string_view value);

}  // namespace proxymux::config
