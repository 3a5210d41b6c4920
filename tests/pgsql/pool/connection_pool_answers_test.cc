// What clients get from a pool: values, where an answer is from, and nothing once they have left.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "pgsql/pool/connection_pool.h"
#include "tests/pgsql/pool/pool_world.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;

// What an answer says of itself.
class CuriousClient final : public LookupSink {
 public:
  void OnAnswer(const Answer& answer) override {
    ++answers;
    host = answer.origin.host;
    form = answer.origin.form;
    rows = answer.origin.rows;
    time = answer.origin.time;
    no_host = answer.no_host;
  }

  int answers = 0;
  std::string host;
  StatementForm form = StatementForm::kPrepared;
  std::size_t rows = 0;
  Duration time{};
  bool no_host = false;
};

TEST(ConnectionPool, AnAnswerTellsWhereItIsFrom) {
  PoolWorld world;
  CuriousClient client;
  world.pool->Submit(world.reads, "k", &client);
  world.Pass(milliseconds(7));
  world.Connection(0).AnswerRows({"v", "w"});
  EXPECT_EQ(client.answers, 1);
  EXPECT_EQ(client.host, "a");
  EXPECT_EQ(client.form, StatementForm::kText);
  EXPECT_EQ(client.rows, 2U);
  EXPECT_EQ(client.time, milliseconds(7));
  EXPECT_FALSE(client.no_host);
  world.pool->Submit(world.reads, "k", &client);
  world.Turn();
  world.factory.SetMood(0, fakes::ScriptedFactory::Mood::kRefuses);
  world.Connection(0).Lose("gone");
  world.Turn();
  EXPECT_EQ(client.answers, 2);
  EXPECT_EQ(client.host, "");  // no server answered
  EXPECT_TRUE(client.no_host);
  EXPECT_EQ(world.pool->hosts()[0].counts.connect_failures, 2U);
}

TEST(ConnectionPool, NoRowsOrOnlyNullsAreNotFoundAndAValueOverTheLimitIsRetry) {
  PoolWorld world;
  auto client = world.Look("k");
  world.Turn();
  world.Connection(0).AnswerRows({});
  EXPECT_EQ(client->outcome, Outcome::kNotFound);
  client = world.Look("k");
  world.Turn();
  world.Connection(0).AnswerRows({std::nullopt, ""});
  EXPECT_EQ(client->outcome, Outcome::kNotFound);
  client = world.Look("k");
  world.Turn();
  world.Connection(0).AnswerRows({"a", std::nullopt, "b"});
  EXPECT_EQ(client->value, "a,b");
  client = world.Look("k");
  world.Turn();
  world.Connection(0).Answer(std::string(config::TableSettings().max_value + 1, 'x'));
  EXPECT_EQ(client->outcome, Outcome::kRetry);
  EXPECT_NE(client->reason.find("max_value"), std::string::npos);
}

TEST(ConnectionPool, AKeyWithoutAFormInTheEncodingIsAskedAgainLaterWithoutAQuery) {
  PoolWorld world;
  const auto odd = world.Look("\xff");
  const auto good = world.Look("o'brien");
  world.Turn();
  EXPECT_EQ(odd->outcome, Outcome::kRetry);
  EXPECT_NE(odd->reason.find("encoding"), std::string::npos);
  EXPECT_EQ(world.Connection(0).oldest()->sql, "SELECT v FROM t WHERE k = 'o''brien'");
  world.Connection(0).Answer("v");
  EXPECT_EQ(good->value, "v");
}

TEST(ConnectionPool, AnAnswerMayAskAgainAtOnce) {
  PoolWorld world;
  const auto second = std::make_shared<WaitingClient>();
  const auto first = world.Look("1");
  first->and_then = [&] { second->ticket = world.pool->Submit(world.reads, "2", second.get()); };
  world.Turn();
  world.Connection(0).Answer("one");
  EXPECT_EQ(second->answers, 0);
  world.Turn();
  world.Connection(0).Answer("two");
  EXPECT_EQ(first->value, "one");
  EXPECT_EQ(second->value, "two");
}

TEST(ConnectionPool, WhoLeavesWhileQueuedIsNeverSent) {
  PoolWorld world;
  const auto gone = world.Look("gone");
  const auto stays = world.Look("stays");
  world.Abandon(gone);
  world.Turn();
  EXPECT_EQ(world.Connection(0).unanswered(), 1U);
  world.Connection(0).Answer("v");
  EXPECT_EQ(gone->answers, 0);
  EXPECT_EQ(stays->value, "v");
}

TEST(ConnectionPool, WhoLeavesWhileInFlightIsWaitedForButNotAnswered) {
  PoolWorld world;
  const auto gone = world.Look("gone");
  const auto stays = world.Look("stays");
  world.Turn();
  world.Abandon(gone);
  EXPECT_FALSE(world.pool->Idle());
  for (auto* upstream : world.Open()) upstream->AnswerEverything("v");
  EXPECT_EQ(gone->answers, 0);
  EXPECT_EQ(stays->value, "v");
  EXPECT_TRUE(world.pool->Idle());
}

}  // namespace
}  // namespace proxymux::pgsql
