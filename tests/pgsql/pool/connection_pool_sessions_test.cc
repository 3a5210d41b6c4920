// Statements that need a connection for themselves or change its session, and asking the catalogue.
#include <gtest/gtest.h>

#include "pgsql/pool/connection_pool.h"
#include "tests/pgsql/pool/catalogue_answers.h"
#include "tests/pgsql/pool/pool_world.h"

namespace proxymux::pgsql {
namespace {

using Mood = fakes::ScriptedFactory::Mood;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(PoolSessions, AScriptHasAnIdleConnectionForItself) {
  PoolWorld world(PoolWorld::Connections(1));
  world.OpenAll();
  const auto before = world.Look("before");
  world.Turn();
  const auto script = world.Look("s", world.script);
  world.Turn();
  const auto after = world.Look("after");
  world.Turn();
  auto& connection = world.Connection(0);
  EXPECT_EQ(connection.unanswered(), 1U);
  connection.Answer("v");
  world.Turn();
  EXPECT_TRUE(connection.history().ends_with("S|X")) << connection.history();
  EXPECT_EQ(connection.oldest()->sql, "SELECT 1; SELECT v FROM t WHERE k = 's'");
  connection.Answer("script");
  world.Turn();
  EXPECT_TRUE(connection.history().ends_with("XS|")) << connection.history();
  connection.Answer("v");
  EXPECT_EQ(before->value, "v");
  EXPECT_EQ(script->value, "script");
  EXPECT_EQ(after->value, "v");
}

TEST(PoolSessions, AScriptIsNotStarvedByAStreamOfOthersNorDoesItStopThem) {
  PoolWorld world(PoolWorld::Connections(2));
  world.OpenAll();
  std::vector<ClientPointer> others;
  for (int i = 0; i < 4; ++i) others.push_back(world.Look("k"));
  world.Turn();
  const auto script = world.Look("s", world.script);
  int answered_others = 0;
  for (int i = 0; i < 10 && script->answers == 0; ++i) {
    others.push_back(world.Look("k"));
    others.push_back(world.Look("k"));
    world.Turn();
    for (auto* upstream : world.Open()) {
      if (upstream->answerable() > 0) upstream->Answer("v");
    }
    world.Turn();
  }
  EXPECT_EQ(script->value, "v");
  for (const auto& other : others) answered_others += other->answers;
  EXPECT_GT(answered_others, 4);
  for (int i = 0; i < 30; ++i) {
    for (auto* upstream : world.Open()) upstream->AnswerEverything("v");
    world.Turn();
  }
  for (const auto& other : others) EXPECT_EQ(other->value, "v");
}

TEST(PoolSessions, AScriptThatFailsTakesNobodyAlong) {
  PoolWorld world(PoolWorld::Connections(1));
  world.OpenAll();
  const auto script = world.Look("s", world.script);
  world.Turn();
  world.Connection(0).Fail("22012", "division by zero");
  EXPECT_EQ(script->outcome, Outcome::kRetry);
  const auto after = world.Look("after");
  world.Turn();
  world.Connection(0).Answer("v");
  EXPECT_EQ(after->value, "v");
}

// What it leaves behind (a search_path, a transaction, a temporary table) must not meet other
// tables' statements.
TEST(PoolSessions, AStatementThatChangesTheSessionIsItsConnectionsLast) {
  for (const char* query : {"SET search_path TO other; SELECT v FROM t WHERE k = '%s'",
                            "SELECT set_config('a.b', '%s', false)"}) {
    PoolWorld world(PoolWorld::Connections(1));
    world.OpenAll();
    fakes::ScriptedUpstream* const first = &world.Connection(0);
    const auto table = PoolWorld::Table(query, WriteClass::kMayWrite);
    const auto changing = world.Look("k", table);
    world.Turn();
    const auto after = world.Look("after");
    world.Turn();
    ASSERT_EQ(first->unanswered(), 1U) << query;
    first->Answer("changed");
    EXPECT_EQ(changing->value, "changed");
    world.Turn();
    EXPECT_EQ(world.pool->hosts()[0].counts.connects, 2U) << query;
    world.Connection(0).Answer("v");
    EXPECT_EQ(after->value, "v");
  }
}

TEST(PoolSessions, AConnectionThatALargeResultMadeLargeIsReplaced) {
  PoolWorld world(PoolWorld::Connections(1));
  world.OpenAll();
  fakes::ScriptedUpstream* const first = &world.Connection(0);
  const auto large = world.Look("large");
  const auto behind = world.Look("behind");
  world.Turn();
  first->Swell();
  first->Answer("much");
  EXPECT_EQ(large->value, "much");
  const auto after = world.Look("after");
  world.Turn();
  ASSERT_EQ(first->unanswered(), 1U);  // what was sent is answered, and nothing more is sent
  first->Answer("v");
  EXPECT_EQ(behind->value, "v");
  world.Turn();
  EXPECT_EQ(world.pool->hosts()[0].counts.connects, 2U);
  EXPECT_TRUE(world.observer.lost.empty());
  world.Connection(0).Answer("v");
  EXPECT_EQ(after->value, "v");
}

TEST(PoolSessions, ASessionThatIsStuckIsGivenUpAndTheLookupRunsElsewhere) {
  PoolWorld world(PoolWorld::Connections(1));
  world.OpenAll();
  fakes::ScriptedUpstream* const first = &world.Connection(0);
  const auto client = world.Look("k");
  world.Turn();
  first->Fail("25P02", "current transaction is aborted");
  world.Turn();
  EXPECT_EQ(world.pool->hosts()[0].counts.connects, 2U);
  world.Connection(0).Answer("v");
  EXPECT_EQ(client->value, "v");
}

TEST(PoolSessions, ALowerConnectionLimitTakesEffectUnderLoad) {
  auto options = PoolWorld::Connections(4);
  PoolWorld world(options);
  std::vector<ClientPointer> clients;
  for (int i = 0; i < 8; ++i) clients.push_back(world.Look("k"));
  world.Turn();
  ASSERT_EQ(world.Open().size(), 4U);
  options.settings.connections = 1;
  world.pool->SetSettings(options.settings);
  for (int i = 0; i < 5; ++i) {
    for (auto* upstream : world.Open()) upstream->AnswerEverything("v");
    clients.push_back(world.Look("more"));
    clients.push_back(world.Look("more"));
    world.Turn();
  }
  EXPECT_EQ(world.Open().size(), 1U);
  for (int i = 0; i < 5; ++i) {
    for (auto* upstream : world.Open()) upstream->AnswerEverything("v");
    world.Turn();
  }
  for (const auto& client : clients) EXPECT_EQ(client->value, "v");
}

// The first connection that is ready must not be given all that waits: what is sent cannot move.
TEST(PoolSessions, WhileConnectionsAreBeingOpenedEachTakesItsShareOnly) {
  PoolWorld world(PoolWorld::Connections(4));
  std::vector<ClientPointer> clients;
  for (int i = 0; i < 8; ++i) clients.push_back(world.Look("k"));
  world.Turn();
  ASSERT_EQ(world.Open().size(), 4U);
  for (auto* upstream : world.Open()) {
    EXPECT_EQ(upstream->unanswered(), 2U);
    upstream->AnswerEverything("v");
  }
  for (const auto& client : clients) EXPECT_EQ(client->value, "v");
}

class Classification : public testing::Test {
 protected:
  Classification() { world.OpenAll(); }
  fakes::ScriptedUpstream& connection() { return world.Connection(0); }

  PoolWorld world{PoolWorld::Connections(1)};
  std::shared_ptr<TableBinding> table =
      PoolWorld::Table("SELECT lower(f('%s'))", WriteClass::kUnknown);
};

TEST_F(Classification, TheCatalogueIsAskedOnceAndLookupsDoNotWaitForIt) {
  const auto first = world.Look("1", table);
  const auto second = world.Look("2", table);
  world.Turn();
  ASSERT_EQ(connection().unanswered(), 3U);
  EXPECT_EQ(table->write_class, WriteClass::kAsking);
  EXPECT_NE(connection().oldest()->sql.find("pg_proc"), std::string::npos);
  EXPECT_EQ(connection().oldest()->parameters,
            (std::vector<std::string>{"{\"f\",\"lower\"}", "{}", "{\"f\",\"lower\",\"select\"}"}));
  EXPECT_TRUE(connection().history().ends_with("|S|S|S|")) << connection().history();
  connection().Answer(kShared);
  EXPECT_EQ(table->write_class, WriteClass::kReads);
  connection().AnswerEverything("v");
  EXPECT_EQ(first->value, "v");
  EXPECT_EQ(second->value, "v");
  const auto third = world.Look("3", table);
  const auto fourth = world.Look("4", table);
  world.Turn();
  EXPECT_TRUE(connection().history().ends_with("|SS|")) << connection().history();
  connection().AnswerEverything("v");
}

TEST_F(Classification, AVolatileFunctionMayWrite) {
  const auto client = world.Look("1", table);
  world.Turn();
  connection().Answer(kWritesShared);
  connection().AnswerEverything("v");
  EXPECT_EQ(table->write_class, WriteClass::kMayWrite);
  EXPECT_TRUE(world.observer.unclassified.empty());
}

TEST_F(Classification, ACatalogueThatMayNotBeReadMeansMayWriteAndIsTold) {
  const auto client = world.Look("1", table);
  world.Turn();
  connection().Fail("42501", "permission denied for table pg_proc");
  connection().AnswerEverything("v");
  EXPECT_EQ(table->write_class, WriteClass::kMayWrite);
  EXPECT_EQ(world.observer.unclassified.size(), 1U);
  EXPECT_EQ(client->value, "v");
}

TEST_F(Classification, WhenTheConnectionIsLostTheQuestionIsAskedAgain) {
  const auto client = world.Look("1", table);
  world.Turn();
  connection().Lose("gone");
  world.Turn();
  EXPECT_NE(connection().oldest()->sql.find("pg_proc"), std::string::npos);
  connection().Answer(kShared);
  world.Turn();
  connection().AnswerEverything("v");
  EXPECT_EQ(table->write_class, WriteClass::kReads);
  EXPECT_EQ(client->value, "v");
}

TEST_F(Classification, WithoutAnyHostItIsAskedWithTheNextLookup) {
  const auto client = world.Look("1", table);
  world.Turn();
  world.factory.SetMood(0, Mood::kRefuses);
  connection().Lose("gone");
  world.Turn();
  EXPECT_EQ(client->outcome, Outcome::kRetry);
  EXPECT_EQ(table->write_class, WriteClass::kUnknown);
  world.factory.SetMood(0, Mood::kAccepts);
  world.Pass(seconds(2));
  const auto next = world.Look("2", table);
  world.Turn();
  EXPECT_NE(connection().oldest()->sql.find("pg_proc"), std::string::npos);
  connection().Answer(kShared);  // that ends the host's trial
  world.Turn();
  connection().AnswerEverything("v");
  EXPECT_EQ(table->write_class, WriteClass::kReads);
  EXPECT_EQ(next->value, "v");
}

TEST_F(Classification, AStatementThatTheCatalogueAnswersTooSlowlyIsAskedAgain) {
  const auto client = world.Look("1", table);
  table->settings.query_timeout = seconds(1);
  world.Pass(milliseconds(1040));
  connection().Fail("57014", "canceling statement due to user request");
  connection().AnswerEverything("v");
  EXPECT_EQ(client->value, "v");
  EXPECT_EQ(table->write_class, WriteClass::kUnknown);
}

}  // namespace
}  // namespace proxymux::pgsql
