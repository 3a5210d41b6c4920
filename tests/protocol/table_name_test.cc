#include "protocol/table_name.h"

#include <gtest/gtest.h>

#include <string_view>
#include <utility>

namespace proxymux::protocol {
namespace {

TEST(TableName, LeadingProxyPrefixesAreStripped) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"pgsql:/a.cf", "pgsql:/a.cf"},
      {"proxy:pgsql:/a.cf", "pgsql:/a.cf"},
      {"proxy:proxy:proxy:pgsql:/a.cf", "pgsql:/a.cf"},
      {"pgsql:proxy:x", "pgsql:proxy:x"},
      {"PROXY:x", "PROXY:x"},
      {"proxy", "proxy"},
      {"proxy:proxy:", ""},
      {":", ":"},
      {"", ""},
  };
  for (const auto& [name, table] : cases) EXPECT_EQ(StripProxyPrefixes(name), table) << name;
}

}  // namespace
}  // namespace proxymux::protocol
