// What a pool does with a result that cannot be of the statement that it sent: bytes were changed
// on their way, and libpq took them.
#include <gtest/gtest.h>

#include "pgsql/pool/connection_pool.h"
#include "tests/pgsql/pool/pool_world.h"

namespace proxymux::pgsql {
namespace {

using Form = fakes::ScriptedUpstream::Form;
using Values = std::vector<std::optional<std::string>>;
using Upstreams = std::vector<fakes::ScriptedUpstream*>;

constexpr char kUnfit[] = "the server's answer does not fit the statement";

struct Result {
  const char* what;
  Values values;
  std::size_t columns;
  std::string tag;
};

TEST(PoolUnfit, TheConnectionIsDroppedAndTheLookupRunsElsewhere) {
  for (const Result& result : {
           Result{"a row was skipped", {"wrong"}, 1, "SELECT 2"},
           Result{"all rows were skipped", {}, 1, "SELECT 1"},
           Result{"a row too many", {"wrong", "wrong"}, 1, "SELECT 1"},
           Result{"no number", {"wrong"}, 1, "SELECT "},
           Result{"a number and more", {"wrong"}, 1, "SELECT 1x"},
           Result{"a number that no result has", {}, 1, "SELECT -1"},
           Result{"an empty statement's", {}, 0, ""},
           Result{"rows of an empty statement", {"wrong"}, 1, ""},
       }) {
    SCOPED_TRACE(result.what);
    PoolWorld world(PoolWorld::Hosts(2));
    const auto client = world.Look("k");
    world.Turn();
    fakes::ScriptedUpstream* const first = world.Busy();
    ASSERT_NE(first, nullptr);
    const std::size_t host = first->host();
    first->AnswerTagged(result.values, result.columns, result.tag);
    EXPECT_EQ(client->answers, 0) << client->value << client->reason;
    EXPECT_EQ(world.factory.OpenTo(host), Upstreams{}) << "what comes next on it may be wrong, too";
    EXPECT_EQ(world.observer.lost,
              std::vector<std::string>{(host == 0 ? "a: " : "b: ") + std::string(kUnfit) + " (0)"});
    world.Turn();
    fakes::ScriptedUpstream* const second = world.Busy();
    ASSERT_NE(second, nullptr);
    EXPECT_NE(second->host(), host);
    second->Answer("v");
    EXPECT_EQ(client->outcome, Outcome::kFound);
    EXPECT_EQ(client->value, "v");
  }
}

TEST(PoolUnfit, WhatStandsBehindItOnTheConnectionRunsAgainToo) {
  auto options = PoolWorld::Hosts(1);
  options.settings.connections = 1;
  PoolWorld world(options);
  const auto first = world.Look("a");
  const auto second = world.Look("b");
  world.Turn();
  ASSERT_EQ(world.Connection(0).answerable(), 2U);
  world.Connection(0).AnswerTagged({"wrong"}, 1, "SELECT 2");
  EXPECT_EQ(first->answers + second->answers, 0);
  EXPECT_EQ(world.observer.lost, std::vector<std::string>{"a: " + std::string(kUnfit) + " (1)"});
  world.Turn();
  EXPECT_EQ(world.factory.made(), 2);
  world.Connection(0).AnswerEverything("v");
  world.Turn();
  world.Connection(0).AnswerEverything("v");
  EXPECT_EQ(first->value, "v");
  EXPECT_EQ(second->value, "v");
}

TEST(PoolUnfit, WhatNoConnectionAnswersRightIsAnErrorAndNoValue) {
  PoolWorld world;
  const auto client = world.Look("k");
  world.Turn();
  for (int i = 0; i < 10 && client->answers == 0; ++i) {
    ASSERT_NE(world.Busy(), nullptr) << i;
    world.Busy()->AnswerTagged({"wrong"}, 1, "SELECT 2");
    world.Turn();
  }
  ASSERT_EQ(client->answers, 1);
  EXPECT_EQ(client->outcome, Outcome::kRetry);
  EXPECT_EQ(client->value, "");
  EXPECT_NE(client->reason.find(kUnfit), std::string::npos) << client->reason;
}

TEST(PoolUnfit, AnotherStatementsResultIsNotThatOfAPrepare) {
  for (const Result& result :
       {Result{"a row", {"wrong"}, 1, "SELECT 1"}, Result{"only a tag", {}, 0, "DELETE 1"},
        Result{"only columns", {}, 1, ""}}) {
    SCOPED_TRACE(result.what);
    auto options = PoolWorld::Hosts(1);
    options.settings.connections = 1;
    PoolWorld world(options);
    const auto table = PoolWorld::Table("SELECT v FROM t WHERE k = '%s'", WriteClass::kReads,
                                        config::StatementMode::kAuto);
    const auto client = world.Look("k", table);
    world.Turn();
    ASSERT_EQ(world.Connection(0).oldest()->form, Form::kPrepare);
    world.Connection(0).AnswerTagged(result.values, result.columns, result.tag);
    EXPECT_EQ(client->answers, 0);
    EXPECT_EQ(world.observer.lost, std::vector<std::string>{"a: " + std::string(kUnfit) + " (1)"});
    world.Turn();
    world.Connection(0).AnswerEverything("v");
    EXPECT_EQ(client->value, "v");
  }
}

// The tag says nothing of rows that RETURNING gives, nor of columns that are not there.
TEST(PoolUnfit, WhatAStatementThatWritesMayAnswerFits) {
  for (const Result& result : {Result{"DELETE ... RETURNING", {"v"}, 1, "DELETE 1"},
                               Result{"more were deleted than said", {"v"}, 1, "DELETE 5"},
                               Result{"an INSERT", {}, 0, "INSERT 0 1"}}) {
    SCOPED_TRACE(result.what);
    PoolWorld world;
    const auto client = world.Look("k", world.writes);
    world.Turn();
    world.Connection(0).AnswerTagged(result.values, result.columns, result.tag);
    EXPECT_EQ(client->answers, 1);
    EXPECT_EQ(client->value, result.values.empty() ? "" : "v");
    EXPECT_EQ(world.observer.lost, std::vector<std::string>{});
  }
}

TEST(PoolUnfit, AnEmptyStatementIsNoAnswer) {
  PoolWorld world;
  const auto table = PoolWorld::Table("-- '%s'", WriteClass::kReads);
  ASSERT_NE(table, nullptr);
  ASSERT_EQ(table->table->statement_class().statements, 0);
  const auto client = world.Look("k", table);
  world.Turn();
  world.Connection(0).AnswerTagged({}, 0, "");
  EXPECT_EQ(client->answers, 1);
  EXPECT_EQ(client->outcome, Outcome::kRetry);
  EXPECT_EQ(client->reason, "the query holds no statement");
  EXPECT_EQ(world.observer.lost, std::vector<std::string>{});
}

}  // namespace
}  // namespace proxymux::pgsql
