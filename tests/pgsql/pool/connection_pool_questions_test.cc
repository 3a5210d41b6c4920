// How questions to the catalogue come to their connections, and what becomes of those that fail.
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/pgsql/pool/own_session_world.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Questions : public OwnSessionWorld {};

// Found as ten seconds of waiting after all table files had changed under load: each connection was
// lent to a table whose question waited for a connection that is not.
TEST_F(Questions, QuestionsDoNotWaitForConnectionsThatAreLent) {
  for (const int connections : {1, 2, 4}) {
    Open(connections);
    std::vector<std::shared_ptr<TableBinding>> tables;
    for (const char* name : {"ga", "gb", "gc", "gd", "ge", "gf", "gg"})
      tables.push_back(Table(name));
    bool more = true;
    const std::function<void(std::size_t)> ask = [&](std::size_t i) {
      world->Look("k", tables[i])->and_then = [&, i] {
        if (more) ask(i);
      };
    };
    for (std::size_t i = 0; i < tables.size(); ++i) {
      for (int client = 0; client < 3; ++client) ask(i);
    }
    for (int turn = 0; turn < 200; ++turn) {
      world->Pass(milliseconds(1));
      for (auto* upstream : world->Open()) {
        if (upstream->answerable() > 0) AnswerOne(*upstream);
      }
    }
    for (const auto& table : tables) EXPECT_EQ(table->write_class, WriteClass::kReads);
    more = false;
    Finish();
    EXPECT_EQ(world->factory.made(), connections);
  }
}

TEST_F(Questions, AQuestionWhoseSyncFailsComesBackWithItsConnection) {
  Open(1);
  const auto table = Table("f");
  const auto first = world->Look("1", table);
  world->Turn();
  Finish();
  world->Pass(milliseconds(600));  // the stamp is due with the next lookup
  world->Connection(0).BreakSyncing();
  const auto second = world->Look("2", table);
  world->Turn();
  Finish();
  EXPECT_EQ(second->value, "v");
}

// Nothing else is sent on it that would show that it is broken.
TEST_F(Questions, AConnectionThatDoesNotTakeAQuestionIsReplaced) {
  auto options = PoolWorld::Connections(1);
  options.settings.pipeline_depth = 1;
  world = std::make_unique<PoolWorld>(options);
  const auto table = Table("f");
  const auto first = world->Look("1", table);
  world->Turn();
  Finish();
  const auto running = world->Look("2", table);
  world->Pass(milliseconds(600));  // a stamp is due, and there is no room for a lookup
  world->Connection(0).BreakSending();
  const auto waiting = world->Look("3", table);
  world->Turn();
  ASSERT_EQ(world->observer.lost.size(), 1U);
  EXPECT_NE(world->observer.lost[0].find("does not take statements"), std::string::npos);
  Finish();
  EXPECT_EQ(running->value, "v");
  EXPECT_EQ(waiting->value, "v");
}

// Seen behind Pgpool-II when its server was restarted: it ended two sessions and left two hanging,
// one of them with a question in front of the lookups, which waited for three seconds.
TEST_F(Questions, LookupsBehindOneAreAskedAgainWhereItsSessionMayBeGoneWithOthers) {
  world = std::make_unique<PoolWorld>(PoolWorld::Connections(3));
  const auto table = Table("f");
  const auto ask = [&](int count) {
    std::vector<ClientPointer> clients;
    for (int i = 0; i < count; ++i) clients.push_back(world->Look(std::to_string(i), table));
    world->Turn();
    return clients;
  };
  ask(1);
  Finish();
  ask(9);
  Finish();
  ASSERT_EQ(world->Open().size(), 3U);
  world->Pass(milliseconds(600));  // the stamp is due with the next lookups
  const std::vector<ClientPointer> waiting = ask(9);
  fakes::ScriptedUpstream* hanging = nullptr;
  fakes::ScriptedUpstream* ended = nullptr;
  for (auto* upstream : world->Open()) {
    if (upstream->unanswered() > 0 && AsksStamp(upstream->oldest()->sql)) {
      hanging = upstream;
    } else {
      ended = upstream;
    }
  }
  ASSERT_NE(hanging, nullptr);
  ASSERT_GT(hanging->unanswered(), 1U) << "lookups stand behind it";
  const auto answer_others = [&] {
    for (auto* upstream : world->Open()) {
      while (upstream != hanging && upstream->answerable() > 0) AnswerOne(*upstream);
    }
  };
  world->Pass(milliseconds(10));
  ended->Lose("terminating connection due to administrator command");
  for (int tick = 0; tick < 120; ++tick) {
    world->Look("more", table);
    world->Pass(milliseconds(10));
    if (world->observer.lost.size() > 1) hanging = nullptr;
    answer_others();
  }
  ASSERT_EQ(world->observer.lost.size(), 2U);
  EXPECT_NE(world->observer.lost[1].find("stall_limit"), std::string::npos);
  for (const ClientPointer& client : waiting) EXPECT_EQ(client->value, "v");
  Finish();
}

// A stamp behind a slow statement would keep its lane from what waits, beside an idle connection.
TEST_F(Questions, AStampDoesNotWaitBehindASlowStatement) {
  world = std::make_unique<PoolWorld>(PoolWorld::Connections(2));
  const auto slow = Table("slow");
  const auto before = world->Look("0", slow);
  world->Turn();
  Finish();
  slow->service_time = {};
  slow->service_time.Record(milliseconds(60));
  world->Pass(seconds(6));  // both may be lanes once quick lookups are forgotten
  ASSERT_EQ(world->Open().size(), 1U);
  const auto running = world->Look("1", slow);
  AnswerOthers(running);
  world->Pass(milliseconds(600));
  const auto next = Table("next");
  next->service_time = {};
  const auto waits = world->Look("2", next);
  AnswerOthers(running);
  EXPECT_EQ(waits->value, "v");
  EXPECT_EQ(running->answers, 0);
  Finish();
}

TEST_F(Questions, AQuestionThatComesToNothingEachTimeIsNotAskedForEver) {
  Open(1);
  const auto table = Table("f");
  int asked = 0;
  for (int i = 0; i < 20; ++i) {
    const auto client = world->Look(std::to_string(i), table);
    world->Turn();
    for (int turns = 0; turns < 10 && client->answers == 0; ++turns) {
      auto& upstream = world->Connection(0);
      if (upstream.answerable() > 0 && AsksEffects(upstream.oldest()->sql)) {
        ++asked;
        upstream.Fail("57014", "canceling statement due to statement timeout");
      } else if (upstream.answerable() > 0) {
        AnswerOne(upstream);
      }
      world->Pass(milliseconds(2));
    }
    EXPECT_EQ(client->value, "v");
  }
  EXPECT_EQ(asked, 3);
  EXPECT_EQ(world->observer.unclassified.size(), 1U);
}

}  // namespace
}  // namespace proxymux::pgsql
