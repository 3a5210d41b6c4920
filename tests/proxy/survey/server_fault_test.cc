// What errors of servers say about a query.
#include "proxy/survey/server_fault.h"

#include <gtest/gtest.h>

namespace proxymux::proxy {
namespace {

TEST(ServerFault, Kinds) {
  for (const char* mistake : {"42703", "42P01", "42601", "42501", "3F000", "0A000"}) {
    EXPECT_EQ(KindOf(mistake), FaultKind::kMistake) << mistake;
  }
  for (const char* data : {"22P02", "22012", "P0001"}) {
    EXPECT_EQ(KindOf(data), FaultKind::kData) << data;
  }
  for (const char* passing : {"", "57014", "57P01", "55P03", "53200", "08006", "XX000", "4"}) {
    EXPECT_EQ(KindOf(passing), FaultKind::kPassing) << passing;
  }
}

TEST(ServerFault, AdviceIsForTheObject) {
  const auto advice = [](const std::string& message) {
    return AdviceFor({"42501", message, "", std::nullopt});
  };
  EXPECT_EQ(advice("permission denied for table alias"),
            "GRANT SELECT on it to the role that asks");
  EXPECT_EQ(advice("permission denied for schema mail"), "GRANT USAGE on it to the role that asks");
  EXPECT_EQ(advice("permission denied for function f"),
            "GRANT EXECUTE on it to the role that asks");
  EXPECT_EQ(advice("keine Berechtigung"), "GRANT the role that asks what it needs");
  EXPECT_EQ(AdviceFor({"42703", "column", "Perhaps you meant x", std::nullopt}),
            "Perhaps you meant x");
}

}  // namespace
}  // namespace proxymux::proxy
