// Which plan a table has, and the service's health while a table answers nothing.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/integration/status_world.h"

namespace proxymux::integration {
namespace {

using harness::HttpGet;
using protocol::Status;
using Json = nlohmann::json;

TEST_F(StatusTruth, ThePlanIsTheOneInUseWithItsReason) {
  EXPECT_EQ(TableOf(Document(), "mode.cf")["plan"], "prepared");
  EXPECT_EQ(TableOf(Document(), "mode.cf")["plan_reason"], "");
  EXPECT_EQ(TableOf(Document(), "broken.cf")["plan"], "none");
  EXPECT_NE(Ctl().find("prepared"), std::string::npos) << Ctl();
  WriteSettings("parameterized");
  Reload();
  EXPECT_EQ(TableOf(Document(), "mode.cf")["plan"], "parameterized");
  WriteSettings("legacy");
  Reload();
  EXPECT_EQ(TableOf(Document(), "mode.cf")["plan"], "text");
  EXPECT_EQ(TableOf(Document(), "mode.cf")["plan_reason"], "statement_mode is legacy");
  EXPECT_TRUE(Lookup("mode.cf", harness::AliasOf(1)).IsValue(harness::AddressOf(1)));
}

TEST_F(StatusTruth, ATableThatAnswersNothingMakesTheServiceDegradedUntilItAnswers) {
  const std::string state =
      "proxymux_table_state{table=\"" + postfix_->Table("failing.cf") + "\",state=\"failing\"}";
  const std::string broken = Health();
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(Lookup("failing.cf", harness::AliasOf(i)).Is(Status::kConfig));
  }
  EXPECT_EQ(TableOf(Document(), "failing.cf")["state"], "ok") << "a few are not enough";
  EXPECT_EQ(Health(), broken);
  EXPECT_TRUE(Lookup("failing.cf", harness::AliasOf(5)).Is(Status::kConfig));
  const Json table = TableOf(Document(), "failing.cf");
  const std::string error = "column \"nothing\" does not exist";
  EXPECT_EQ(table["state"], "failing");
  EXPECT_EQ(table["failed_in_a_row"], 5);
  EXPECT_NE(table["reason"].get<std::string>().find(error), std::string::npos) << table;
  EXPECT_NE(Health().find(postfix_->Table("failing.cf") + ": its last 5 lookups all failed: "),
            std::string::npos)
      << Health();
  EXPECT_NE(Ctl().find(error), std::string::npos) << Ctl();
  EXPECT_EQ(harness::MetricOf(admin_, state), 1);

  for (auto* server : {&world_.first(), &world_.second()}) {
    server->Sql(harness::kMailDatabase, "ALTER TABLE alias ADD COLUMN nothing text DEFAULT 'x'");
  }
  EXPECT_TRUE(Lookup("failing.cf", harness::AliasOf(5)).IsValue("x"));
  EXPECT_EQ(TableOf(Document(), "failing.cf")["state"], "ok");
  EXPECT_EQ(TableOf(Document(), "failing.cf")["failed_in_a_row"], 0);
  EXPECT_EQ(Health(), broken);
  EXPECT_EQ(harness::MetricOf(admin_, state), 0);

  for (auto* server : {&world_.first(), &world_.second()}) {
    server->Sql(harness::kMailDatabase,
                "REVOKE SELECT ON alias FROM " + std::string(harness::kMailRole));
  }
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(Lookup("good.cf", "x@y.org").Is(Status::kNoKey));
  EXPECT_NE(Health().find("permission denied for table alias"), std::string::npos) << Health();
  for (auto* server : {&world_.first(), &world_.second()}) {
    server->Sql(harness::kMailDatabase,
                "GRANT SELECT ON alias TO " + std::string(harness::kMailRole));
    server->Sql(harness::kMailDatabase, "ALTER TABLE alias DROP COLUMN nothing");
  }
  EXPECT_TRUE(Lookup("good.cf", "x@y.org").Is(Status::kNoKey));
  EXPECT_EQ(Health(), broken);
}

TEST_F(StatusTruth, AKeyInAnErrorIsNotShown) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(Lookup("number.cf", "secret@hidden.org").Is(Status::kRetry));
  }
  const std::string said = Health() + Ctl() + Document().dump() + HttpGet(admin_, "/metrics").body;
  EXPECT_NE(said.find("SQLSTATE 22P02"), std::string::npos) << said;
  EXPECT_EQ(said.find("secret"), std::string::npos) << said;
  EXPECT_EQ(said.find("hidden"), std::string::npos) << said;
}

TEST_F(StatusTruth, TablesThatFailBecauseTheirHostsAreDownAreNotBlamed) {
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(Lookup("down.cf", "a@b.org").Is(Status::kRetry));
  EXPECT_EQ(TableOf(Document(), "down.cf")["state"], "ok");
  EXPECT_NE(Health().find("is down"), std::string::npos) << Health();
}

}  // namespace
}  // namespace proxymux::integration
