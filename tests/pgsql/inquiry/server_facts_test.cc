// What a server says of itself, and what it is not.
#include "pgsql/inquiry/server_facts.h"

#include <gtest/gtest.h>

namespace proxymux::pgsql {
namespace {

using Row = std::vector<std::optional<std::string>>;

Row Good() {
  return {"15.18 (Debian)",
          "150018",
          "t",
          "UTF8",
          "mail",
          "mailreader",
          "100",
          "3",
          "-1",
          "-1",
          "7",
          "4711"};
}

TEST(ServerFacts, AreRead) {
  const auto facts = ParseServerFacts(Good());
  ASSERT_TRUE(facts.has_value());
  EXPECT_EQ(facts->version, "15.18 (Debian)");
  EXPECT_EQ(facts->version_number, 150018);
  EXPECT_TRUE(facts->standby);
  EXPECT_EQ(facts->encoding, "UTF8");
  EXPECT_EQ(facts->database, "mail");
  EXPECT_EQ(facts->role, "mailreader");
  EXPECT_EQ(facts->used, 7);
  EXPECT_EQ(facts->backend, 4711);
}

TEST(ServerFacts, TheLowestLimitCounts) {
  ServerFacts facts;
  facts.max_connections = 100;
  facts.reserved = 3;
  EXPECT_EQ(facts.MostSessions(), 97);
  facts.role_limit = 10;
  EXPECT_EQ(facts.MostSessions(), 10);
  facts.database_limit = 0;
  EXPECT_EQ(facts.MostSessions(), 0);
  facts = {};
  facts.reserved = 3;
  EXPECT_EQ(facts.MostSessions(), 0);
}

TEST(ServerFacts, WhatIsNoneIsNothing) {
  EXPECT_FALSE(ParseServerFacts({}).has_value());
  for (std::size_t column = 0; column < Good().size(); ++column) {
    Row row = Good();
    row[column] = std::nullopt;
    EXPECT_FALSE(ParseServerFacts(row).has_value()) << column;
    row = Good();
    row.resize(column);
    EXPECT_FALSE(ParseServerFacts(row).has_value()) << column;
  }
  Row row = Good();
  row[1] = "150018x";
  EXPECT_FALSE(ParseServerFacts(row).has_value());
  row = Good();
  row.emplace_back("more");
  EXPECT_FALSE(ParseServerFacts(row).has_value());
}

}  // namespace
}  // namespace proxymux::pgsql
