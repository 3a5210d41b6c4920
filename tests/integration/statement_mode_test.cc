// How lookups reach a real server in each statement_mode, and what a change of the database does to
// statements that are prepared.
#include <string>

#include "tests/integration/one_server.h"

namespace proxymux::integration {
namespace {

using protocol::Status;

// Four tables that ask the same in each mode, one that can only be text, and others by their query.
class StatementMode : public OneServerTest {
 protected:
  void SetUp() override {
    world_.Mend();
    Sql("DROP TABLE IF EXISTS modes; CREATE TABLE modes (k varchar(64) PRIMARY KEY,"
        " v varchar(64), n int);"
        "INSERT INTO modes VALUES ('a', 'one', 1), ('b', 'two', 2);"
        "GRANT SELECT ON modes TO mailreader");
    for (const char* mode : kEveryMode) {
      AddInMode(mode, std::string(mode) + ".cf",
                std::string("SELECT v FROM modes WHERE k = '%s' /* ") + mode + " */");
    }
    Add("limit.cf", "SELECT v FROM modes WHERE k = '%s' LIMIT 1");
    Add("number.cf", "SELECT v FROM modes WHERE n = '%s'");
    Add("untyped.cf", "SELECT v FROM modes WHERE k = '%s' AND '%u' IS NOT NULL");
    AddInMode("prepared", "refused.cf",
              "SELECT v FROM modes WHERE k = 'a' AND extract('%s' FROM now()) IS NOT NULL");
    StartService("pool:\n  connections: 1\n");
  }

  // The latest statement of our session, as the server saw it.
  std::string Seen() {
    return Sql("SELECT query FROM pg_stat_activity WHERE application_name = 'proxymux'");
  }
};

TEST_F(StatementMode, DecidesWhatTheServerSees) {
  for (const char* mode : {"auto", "parameterized", "prepared"}) {
    EXPECT_TRUE(Look(std::string(mode) + ".cf", "a").IsValue("one"));
    EXPECT_NE(Seen().find("k = $1"), std::string::npos) << mode << ": " << Seen();
  }
  for (const char* table : {"legacy.cf", "limit.cf"}) {
    EXPECT_TRUE(Look(table, "a").IsValue("one"));
    EXPECT_NE(Seen().find("k = 'a'"), std::string::npos) << table << ": " << Seen();
  }
}

TEST_F(StatementMode, QuotesAndBackslashesArriveInEveryMode) {
  for (const char* mode : {"auto", "legacy", "parameterized", "prepared"}) {
    for (const char* key :
         {"o'brien", "a\\", "\\'", "\"", "$1", "%s", "a'; DROP TABLE modes; --"}) {
      EXPECT_TRUE(Look(std::string(mode) + ".cf", key).Is(Status::kNoKey)) << mode << " " << key;
    }
  }
  EXPECT_TRUE(Look("auto.cf", "b").IsValue("two"));
}

TEST_F(StatementMode, AKeyThatIsNoNumberFailsAlone) {
  EXPECT_TRUE(Look("number.cf", "1").IsValue("one"));
  EXPECT_TRUE(Look("number.cf", "x").Is(Status::kRetry));
  EXPECT_TRUE(Look("number.cf", "2").IsValue("two"));
  EXPECT_NE(Seen().find("$1"), std::string::npos) << Seen();
}

TEST_F(StatementMode, AParameterWithoutATypeIsDeclared) {
  EXPECT_TRUE(Look("untyped.cf", "a").IsValue("one"));
  EXPECT_TRUE(Look("untyped.cf", "b").IsValue("two"));
  EXPECT_NE(Seen().find("$2 IS NOT NULL"), std::string::npos) << Seen();
  EXPECT_TRUE(postfix_->LogLinesWith({"is sent as text"}).empty());
}

TEST_F(StatementMode, AChangedColumnTypeIsTakenUp) {
  for (const char* mode : {"auto", "legacy", "parameterized", "prepared"}) {
    EXPECT_TRUE(Look(std::string(mode) + ".cf", "a").IsValue("one"));
  }
  Sql("ALTER TABLE modes ALTER v TYPE text");  // "cached plan must not change result type"
  for (const char* mode : {"auto", "legacy", "parameterized", "prepared"}) {
    EXPECT_TRUE(Look(std::string(mode) + ".cf", "a").IsValue("one")) << mode;
    EXPECT_TRUE(Look(std::string(mode) + ".cf", "b").IsValue("two")) << mode;
  }
  Sql("ALTER TABLE modes RENAME v TO w");
  for (const char* mode : {"auto", "legacy", "parameterized", "prepared"}) {
    EXPECT_TRUE(Look(std::string(mode) + ".cf", "a").Is(Status::kConfig)) << mode;
  }
  Sql("ALTER TABLE modes RENAME w TO v");
  for (const char* mode : {"auto", "legacy", "parameterized", "prepared"}) {
    EXPECT_TRUE(Look(std::string(mode) + ".cf", "a").IsValue("one")) << mode;
  }
}

TEST_F(StatementMode, ATableMadeAnewIsFound) {
  EXPECT_TRUE(Look("prepared.cf", "a").IsValue("one"));
  Sql("DROP TABLE modes");
  EXPECT_TRUE(Look("prepared.cf", "a").Is(Status::kConfig));
  Sql("CREATE TABLE modes (k text, v text, n int); INSERT INTO modes VALUES ('a', 'new', 1);"
      "GRANT SELECT ON modes TO mailreader");
  EXPECT_TRUE(Look("prepared.cf", "a").IsValue("new"));
}

// DEALLOCATE ALL from a query of our own, as a pooler's reset would do it.
TEST_F(StatementMode, StatementsThatVanishArePreparedAgain) {
  EXPECT_TRUE(Look("prepared.cf", "a").IsValue("one"));
  EXPECT_TRUE(Look("auto.cf", "a").IsValue("one"));
  Sql("CREATE OR REPLACE FUNCTION forget() RETURNS text LANGUAGE plpgsql AS"
      " $$ BEGIN EXECUTE 'DEALLOCATE ALL'; RETURN 'gone'; END $$");
  postfix_->WriteConfig(
      "legacy.cf", harness::TableText(MailWorld::Instance().first().TcpHost(), "SELECT forget()"));
  // Until the changed file is in use the lookup is answered by the old query.
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!Look("legacy.cf", "a").IsValue("gone")) {
    ASSERT_LT(std::chrono::steady_clock::now(), end);
  }
  EXPECT_TRUE(Look("prepared.cf", "b").IsValue("two"));
  EXPECT_TRUE(Look("prepared.cf", "a").IsValue("one"));
  EXPECT_NE(Seen().find("$1"), std::string::npos) << Seen();
  EXPECT_TRUE(Look("auto.cf", "b").IsValue("two"));
}

TEST_F(StatementMode, WhatCannotBePreparedIsTextWithOneLogLine) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(Look("refused.cf", "year").IsValue("one"));
    EXPECT_NE(Seen().find("extract('year'"), std::string::npos) << Seen();
  }
  const auto lines = postfix_->LogLinesWith({"is sent as text"});
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(
      lines[0].find("refused.cf: its query is sent as text from now on: the server refused it "
                    "with parameters: syntax error"),
      std::string::npos)
      << lines[0];
}

}  // namespace
}  // namespace proxymux::integration
