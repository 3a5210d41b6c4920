// Whether pools get the sessions that they may want.
#include "proxy/survey/session_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace proxymux::proxy {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

CheckedServer Server(const std::string& pool, int wanted) {
  CheckedServer server;
  server.host = "db1";
  server.pool = pool;
  server.place = "192.0.2.7:5432";
  server.file = pool + ".cf";
  server.line = 3;
  server.proxymux = wanted;
  server.facts.emplace();
  server.facts->max_connections = 20;
  server.facts->reserved = 3;
  server.facts->role = "reader";
  server.facts->database = "mail";
  return server;
}

std::vector<std::string> Said(const std::vector<CheckedServer>& servers) {
  std::vector<std::string> said;
  for (const auto& finding : CheckSessionLimits(servers)) said.push_back(finding.ToString());
  return said;
}

TEST(SessionLimits, WhatIsAllowedIsNotTalkedAbout) {
  EXPECT_THAT(Said({}), IsEmpty());
  EXPECT_THAT(Said({Server("a", 17)}), IsEmpty());
  EXPECT_THAT(Said({Server("a", 8), Server("b", 9)}), IsEmpty());
}

TEST(SessionLimits, PoolsOfOneServerShareIt) {
  EXPECT_THAT(Said({Server("a", 8), Server("b", 10)}),
              ElementsAre(AllOf(HasSubstr("a.cf:3: error: host db1 allows 17 sessions, and the "
                                          "pools a, b may want 18"),
                                HasSubstr("(max_connections)"))));
  CheckedServer other = Server("b", 10);
  other.place = "192.0.2.8:5432";
  EXPECT_THAT(Said({Server("a", 8), other}), IsEmpty());
}

TEST(SessionLimits, APoolThatLeadsThereByTwoNamesCountsOnce) {
  CheckedServer other = Server("a", 10);
  other.host = "localhost";
  EXPECT_THAT(Said({Server("a", 10), other}), IsEmpty());
}

TEST(SessionLimits, RolesAndDatabasesHaveTheirOwn) {
  CheckedServer server = Server("a", 8);
  server.facts->role_limit = 7;
  EXPECT_THAT(Said({server}), ElementsAre(HasSubstr("allows the role reader 7 sessions, and the "
                                                    "pool a may want 8")));
  server.facts->role_limit = -1;
  server.facts->database_limit = 0;
  EXPECT_THAT(Said({server}), ElementsAre(AllOf(HasSubstr("allows the database mail 0 sessions"),
                                                HasSubstr("(CONNECTION LIMIT)"))));
}

TEST(SessionLimits, APoolerHasItsOwnAndWhoWasNotReachedHasNone) {
  CheckedServer server = Server("a", 99);
  server.pooler = true;
  EXPECT_THAT(Said({server}), IsEmpty());
  server = Server("a", 99);
  server.facts.reset();
  EXPECT_THAT(Said({server}), IsEmpty());
}

}  // namespace
}  // namespace proxymux::proxy
