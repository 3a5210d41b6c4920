// Where tables that change their session want more connections than there are, all have their
// turn: none of them starves another one, nor those that share.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "tests/pgsql/pool/own_session_world.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Starvation : public OwnSessionWorld {};

TEST_F(Starvation, MoreTablesThanConnectionsTakeTurns) {
  for (const int connections : {1, 2, 3, 4}) {
    said.clear();
    std::vector<std::shared_ptr<TableBinding>> tables;
    for (const char* name : {"fa", "fb", "fc", "fd", "fe", "ff"}) {
      said[name] = kOwn;
      tables.push_back(Table(name));
    }
    Open(connections);
    tables.push_back(world->reads);
    tables.push_back(Table("ga"));
    std::vector<ClientPointer> clients;
    for (int round = 0; round < 40; ++round) {
      for (const auto& table : tables) clients.push_back(world->Look("k", table));
      world->Turn();
      for (auto* upstream : world->Open()) {
        if (upstream->answerable() > 0) AnswerOne(*upstream);
      }
      CheckSessions();
    }
    Finish();
    for (const auto& client : clients) EXPECT_EQ(client->value, "v");
    EXPECT_LE(world->factory.most_open(), static_cast<std::size_t>(connections));
  }
}

// Neither kind fills every connection again before the other one has had its turn.
TEST_F(Starvation, NeitherKindStarvesTheOther) {
  said = {{"f", kOwn}};
  for (const int connections : {1, 2, 4}) {
    for (const bool own_flood : {true, false}) {
      auto options = PoolWorld::Connections(connections);
      options.settings.pipeline_depth = 4;
      options.settings.queue_limit = 10000;
      world = std::make_unique<PoolWorld>(options);
      world->OpenAll();
      const auto table = Table("f");
      const auto first = world->Look("1", table);
      world->Turn();
      Finish();
      std::vector<ClientPointer> flood;
      const auto add = [&](int count) {
        for (int i = 0; i < count; ++i) {
          flood.push_back(own_flood ? world->Look("k", table) : world->Look("k"));
        }
      };
      add(100);
      world->Turn();
      const auto other = own_flood ? world->Look("o") : world->Look("o", table);
      int turns = 0;
      for (; turns < 60 && other->answers == 0; ++turns) {
        add(20);
        world->Pass(milliseconds(2));
        for (auto* upstream : world->Open()) {
          for (int i = 0; i < 4 && upstream->answerable() > 0; ++i) AnswerOne(*upstream);
        }
      }
      EXPECT_EQ(other->value, "v") << connections << (own_flood ? " own" : " shared");
      EXPECT_LT(turns, 60);
      Finish();
    }
  }
}

// Found as ten seconds of waiting: each table that changes its session gets the only connection
// anew, and a connection that is new was nobody's lane.
TEST_F(Starvation, SlowStatementsHaveTheirTurnOnAConnectionThatIsAlwaysANewOne) {
  for (const int connections : {1, 2}) {
    for (const std::string slow_says : {kOwn, kShared}) {
      said.clear();
      std::vector<std::shared_ptr<TableBinding>> tables;
      for (const char* name : {"fa", "fb", "fc", "fd", "fe", "ff"}) {
        said[name] = kOwn;
        tables.push_back(Table(name));
      }
      said["slow"] = slow_says;
      Open(connections);
      const auto slow_table = Table("slow");
      tables.push_back(slow_table);
      for (const auto& each : tables) {  // what each one does becomes known
        world->Look("k", each);
        world->Turn();
        Finish();
      }
      tables.pop_back();
      for (int i = 0; i < 10; ++i) slow_table->service_time.Record(milliseconds(200));
      std::vector<ClientPointer> quick;
      std::size_t table = 0;
      const auto add = [&] { quick.push_back(world->Look("k", tables[table++ % tables.size()])); };
      for (std::size_t i = 0; i < 2 * tables.size(); ++i) add();
      world->Turn();
      const auto slow = world->Look("s", slow_table);
      int rounds = 0;
      for (; rounds < 200 && slow->answers == 0; ++rounds) {
        const auto waiting = static_cast<std::size_t>(std::count_if(
            quick.begin(), quick.end(), [](const auto& one) { return one->answers == 0; }));
        for (std::size_t i = waiting; i < 2 * tables.size(); ++i) add();
        world->Pass(milliseconds(2));
        for (auto* upstream : world->Open()) {
          if (upstream->answerable() > 0) AnswerOne(*upstream);
        }
        CheckSessions();
      }
      EXPECT_EQ(slow->value, "v") << connections << " connections, " << slow_says;
      Finish();
      for (const auto& client : quick) EXPECT_EQ(client->value, "v");
    }
  }
}

// Found as ten seconds of waiting: the one host has refused the statement, and the only connection
// to the other one is another table's.
TEST_F(Starvation, ALookupThatMustGoToTheOtherHostDoesNotWaitForAnotherTablesConnection) {
  said = {{"f", kOwn}};
  for (const int connections : {2, 3, 4}) {
    auto options = PoolWorld::Hosts(2);
    options.settings.connections = connections;
    world = std::make_unique<PoolWorld>(options);
    world->OpenAll();
    const auto table = Table("f");
    for (int i = 0; i < 10; ++i) {
      const auto client = world->Look("k", table);
      world->Turn();
      Finish();
    }
    const auto refused = world->Look("k");
    world->Turn();
    for (auto* upstream : world->Open()) {
      if (upstream->answerable() == 0) continue;
      upstream->Fail("42501", "permission denied for table t");
    }
    for (int i = 0; i < 10; ++i) {
      world->Pass(milliseconds(50));
      for (auto* upstream : world->Open()) {
        if (upstream->answerable() > 0) AnswerOne(*upstream);
      }
    }
    EXPECT_EQ(refused->value, "v") << connections;
  }
}

// Of two connections that are other tables', the one whose statements are quick is given up.
TEST_F(Starvation, NobodyWaitsForALongStatementToMakeRoom) {
  said = {{"slow", kOwn}, {"quick", kOwn}, {"third", kOwn}};
  Open(2);
  const auto slow = Table("slow");
  const auto quick = Table("quick");
  const auto third = Table("third");
  for (const auto& table : {third, slow, quick}) {  // each is asked about
    const auto learns = world->Look("0", table);
    world->Turn();
    Finish();
    world->Pass(seconds(6));
  }
  slow->service_time = {};
  slow->service_time.Record(milliseconds(60));
  const auto running = world->Look("1", slow);
  AnswerOthers(running);
  std::vector<ClientPointer> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(world->Look("q", quick));
  world->Pass(milliseconds(2));
  const auto waits = world->Look("2", third);
  world->Pass(milliseconds(2));
  AnswerOthers(running);
  EXPECT_EQ(waits->value, "v");
  EXPECT_EQ(running->answers, 0);
  Finish();
}

}  // namespace
}  // namespace proxymux::pgsql
