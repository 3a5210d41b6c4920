// Statements that may change their session, over connections that other tables share.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>

#include "pgsql/connection_pool.h"
#include "tests/pgsql/pool_world.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr char kShared[] = "reads shared 0123456789abcdef0123456789abcdef";
constexpr char kOwn[] = "reads session 0123456789abcdef0123456789abcdef function f(text)";
constexpr char kSecured[] = "reads transaction 0123456789abcdef0123456789abcdef row security of t";
constexpr char kStamp[] = "0123456789abcdef0123456789abcdef";
constexpr char kOtherStamp[] = "1123456789abcdef0123456789abcdef";

bool AsksEffects(const std::string& sql) { return sql.find("$3") != std::string::npos; }
bool AsksStamp(const std::string& sql) {
  return sql.find("pg_rewrite") != std::string::npos && !AsksEffects(sql);
}

PoolWorld::Options Connections(int count) {
  PoolWorld::Options options;
  options.settings.connections = count;
  return options;
}

// What a table's function does is known after the first question.
std::shared_ptr<TableBinding> Table(const std::string& name) {
  return PoolWorld::Table("SELECT " + name + "(k) FROM t WHERE k = '%s'", WriteClass::kUnknown);
}

class OwnSession : public testing::Test {
 protected:
  void Open(int connections) {
    world = std::make_unique<PoolWorld>(Connections(connections));
    world->OpenAll();
  }

  std::string Said(const fakes::ScriptedUpstream::Sent& sent) {
    if (AsksStamp(sent.sql)) return stamp;
    if (!AsksEffects(sent.sql)) return "v";
    const auto& names = sent.parameters[0];
    for (const auto& [name, effects] : said) {
      if (names.find(name) != std::string::npos) return effects;
    }
    return kShared;
  }

  void AnswerOne(fakes::ScriptedUpstream& upstream) { upstream.Answer(Said(*upstream.oldest())); }

  // Answers until nobody waits, and looks at every connection on the way.
  void Finish() {
    for (int i = 0; i < 5000 && !world->pool->Quiet(); ++i) {
      CheckSessions();
      for (auto* upstream : world->Open()) {
        if (upstream->answerable() > 0) AnswerOne(*upstream);
      }
      world->Turn();
      if (i % 50 == 49) world->Pass(milliseconds(20));
    }
    EXPECT_TRUE(world->pool->Quiet());
  }

  // Behind a statement that changes the session there is nothing but its own table's.
  void CheckSessions() {
    for (auto* upstream : world->Open()) {
      std::string owner;
      for (const std::string& text : upstream->texts()) {
        EXPECT_TRUE(owner.empty() || text.find(owner) != std::string::npos)
            << text << " runs in the session of " << owner;
        for (const auto& [name, effects] : said) {
          if (effects != kOwn || AsksEffects(text) || AsksStamp(text)) continue;
          if (text.find(name + "(") != std::string::npos) owner = name + "(";
        }
      }
    }
  }

  std::unique_ptr<PoolWorld> world;
  std::map<std::string, std::string> said;  // by the function's name
  std::string stamp = kStamp;
};

TEST_F(OwnSession, WhileItIsNotKnownTheConnectionIsLentToTheTable) {
  Open(1);
  const auto unknown = world->Look("1", Table("f"));
  world->Turn();
  const auto other = world->Look("2");
  world->Turn();
  auto& connection = world->Connection(0);
  ASSERT_EQ(connection.unanswered(), 2U);  // the question and the lookup
  connection.Answer(kShared);
  world->Pass(milliseconds(2));
  EXPECT_EQ(connection.unanswered(), 2U);  // the lookup and the other table's
  Finish();
  EXPECT_EQ(world->factory.made(), 1);
}

TEST_F(OwnSession, WhatChangesTheSessionKeepsItsConnection) {
  said = {{"f", kOwn}};
  Open(1);
  const auto table = Table("f");
  const auto first = world->Look("1", table);
  world->Turn();
  Finish();
  EXPECT_EQ(world->observer.own_sessions, std::vector<std::string>{"function f(text)"});
  const auto again = world->Look("2", table);
  world->Turn();
  Finish();
  EXPECT_EQ(world->factory.made(), 1);
  const auto other = world->Look("3");
  world->Turn();
  Finish();
  EXPECT_EQ(other->value, "v");
  EXPECT_EQ(world->factory.made(), 2);
}

TEST_F(OwnSession, OneConnectionStaysForAllOtherTables) {
  said = {{"f", kOwn}};
  Open(4);
  const auto table = Table("f");
  const auto first = world->Look("1", table);
  world->Turn();
  Finish();
  std::vector<ClientPointer> clients;
  for (int i = 0; i < 500; ++i) {
    clients.push_back(world->Look("k", table));
    if (i % 10 == 0) clients.push_back(world->Look("q"));
  }
  world->Turn();
  CheckSessions();
  const auto open = world->Open();
  EXPECT_TRUE(std::any_of(open.begin(), open.end(), [](const auto* upstream) {
    return std::none_of(upstream->texts().begin(), upstream->texts().end(),
                        [](const std::string& text) { return text.find(" f(") != text.npos; });
  }));
  Finish();
}

// How long it runs is not known; and another table was asked a moment ago.
TEST_F(OwnSession, ASecondLookupDoesNotWaitBehindTheFirstWhileMoreConnectionsMayBeOpened) {
  said = {{"f", kOwn}};
  Open(4);
  const auto other = world->Look("q");
  world->Turn();
  Finish();
  const auto table = Table("f");
  table->service_time = {};
  const auto first = world->Look("1", table);
  world->Turn();
  // Everything but the lookup that runs.
  const auto answer_others = [&] {
    for (int i = 0; i < 10; ++i) {
      world->Pass(milliseconds(2));
      for (auto* upstream : world->Open()) {
        const auto* oldest = upstream->answerable() > 0 ? upstream->oldest() : nullptr;
        if (oldest != nullptr && oldest->work != first->ticket) AnswerOne(*upstream);
      }
    }
  };
  answer_others();
  ASSERT_EQ(table->session, SessionUse::kOwnSession);
  const auto second = world->Look("2", table);
  answer_others();
  EXPECT_EQ(second->value, "v");
  EXPECT_EQ(first->answers, 0);
  Finish();
}

// Also a new table's, of which the catalogue is to say something first, and whose statement is
// prepared.
TEST_F(OwnSession, OneLookupOpensOneConnection) {
  world = std::make_unique<PoolWorld>(Connections(4));
  const auto table = PoolWorld::Table("SELECT v FROM t WHERE k = '%s'", WriteClass::kUnknown,
                                      config::StatementMode::kPrepared);
  table->service_time = {};
  const auto client = world->Look("1", table);
  world->Turn();
  Finish();
  EXPECT_EQ(client->value, "v");
  for (int i = 0; i < 100; ++i) world->Pass(milliseconds(10));
  EXPECT_GT(world->pool->counters().prepares, 0U);
  EXPECT_EQ(world->factory.made(), 1);
}

TEST_F(OwnSession, MoreTablesThanConnectionsTakeTurns) {
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

TEST_F(OwnSession, RowSecurityGetsATransactionOfItsOwnAndNoConnection) {
  said = {{"f", kSecured}};
  Open(1);
  const auto table = Table("f");
  const auto first = world->Look("1", table);
  world->Turn();
  Finish();
  const auto before = world->Look("2");
  const auto secured = world->Look("3", table);
  const auto behind = world->Look("4");
  world->Turn();
  EXPECT_TRUE(world->Connection(0).history().ends_with("|S|S|S|"))
      << world->Connection(0).history();
  Finish();
  EXPECT_EQ(world->factory.made(), 1);
}

TEST_F(OwnSession, AsLongAsLookupsComeTheCatalogueIsWatched) {
  Open(1);
  const auto table = Table("f");
  const auto first = world->Look("1", table);
  world->Turn();
  Finish();
  const std::size_t sent = world->Connection(0).texts().size();
  for (int i = 0; i < 40; ++i) {
    const auto client = world->Look("k", table);
    world->Turn();
    Finish();
    world->Pass(milliseconds(100));
  }
  const auto& texts = world->Connection(0).texts();
  const auto stamps = std::count_if(texts.begin() + static_cast<std::ptrdiff_t>(sent), texts.end(),
                                    [](const auto& text) { return AsksStamp(text); });
  EXPECT_GE(stamps, 7);
  EXPECT_LE(stamps, 8);
  EXPECT_EQ(std::count_if(texts.begin(), texts.end(), AsksEffects), 1);
}

TEST_F(OwnSession, AfterAQuietTimeTheConnectionIsLentUntilTheCatalogueIsKnownNotToHaveChanged) {
  Open(1);
  const auto table = Table("f");
  const auto first = world->Look("1", table);
  world->Turn();
  Finish();
  world->Pass(seconds(10));
  const auto lent = world->Look("2", table);
  world->Turn();
  const auto other = world->Look("3");
  world->Turn();
  auto& connection = world->Connection(0);
  ASSERT_EQ(connection.unanswered(), 2U);
  EXPECT_TRUE(AsksStamp(connection.oldest()->sql));
  AnswerOne(connection);
  world->Pass(milliseconds(2));
  EXPECT_EQ(connection.unanswered(), 2U);
  Finish();
  EXPECT_EQ(world->factory.made(), 1);
}

TEST_F(OwnSession, WhenTheCatalogueHasChangedTheTableIsAskedAbout) {
  Open(1);
  const auto table = Table("f");
  const auto first = world->Look("1", table);
  world->Turn();
  Finish();
  EXPECT_EQ(table->session, SessionUse::kShared);
  // The function is replaced by one that changes the session.
  stamp = kOtherStamp;
  said = {{"f", "writes session " + stamp + " function f(text)"}};
  world->Pass(seconds(2));
  const auto second = world->Look("2", table);
  world->Turn();
  Finish();
  const auto third = world->Look("3", table);
  world->Turn();
  Finish();
  EXPECT_EQ(table->session, SessionUse::kOwnSession);
  EXPECT_EQ(table->write_class, WriteClass::kMayWrite);
  const auto other = world->Look("4");
  world->Turn();
  Finish();
  EXPECT_EQ(world->factory.made(), 2);
}

TEST_F(OwnSession, ACatalogueThatDoesNotTellMeansTheSafeWay) {
  said = {{"f", "something else"}};
  Open(1);
  const auto table = Table("f");
  const auto first = world->Look("1", table);
  world->Turn();
  Finish();
  EXPECT_EQ(first->value, "v");
  EXPECT_EQ(table->session, SessionUse::kOwnSession);
  EXPECT_EQ(world->observer.unclassified.size(), 1U);
  const auto other = world->Look("2");
  world->Turn();
  Finish();
  EXPECT_EQ(world->factory.made(), 2);
}

TEST_F(OwnSession, AStampThatCannotBeHadKeepsEveryTableApart) {
  Open(1);
  const auto table = Table("f");
  const auto first = world->Look("1", table);
  world->Turn();
  Finish();
  world->Pass(seconds(2));
  const auto second = world->Look("2", table);
  world->Turn();
  auto& connection = world->Connection(0);
  ASSERT_TRUE(AsksStamp(connection.oldest()->sql));
  connection.Fail("42501", "permission denied");
  AnswerOne(connection);
  world->Turn();
  EXPECT_EQ(second->value, "v");
  const auto other = world->Look("3");
  world->Turn();
  EXPECT_EQ(connection.unanswered(), 0U);
  world->Pass(seconds(1));
  Finish();
  EXPECT_EQ(other->value, "v");
  EXPECT_EQ(world->factory.made(), 2);
}

// Found as ten seconds of waiting after all table files had changed under load: each connection was
// lent to a table whose question waited for a connection that is not.
TEST_F(OwnSession, QuestionsDoNotWaitForConnectionsThatAreLent) {
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

// Neither kind fills every connection again before the other one has had its turn.
TEST_F(OwnSession, NeitherKindStarvesTheOther) {
  said = {{"f", kOwn}};
  for (const int connections : {1, 2, 4}) {
    for (const bool own_flood : {true, false}) {
      auto options = Connections(connections);
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

// Found as ten seconds of waiting: the one host has refused the statement, and the only connection
// to the other one is another table's.
TEST_F(OwnSession, ALookupThatMustGoToTheOtherHostDoesNotWaitForAnotherTablesConnection) {
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

}  // namespace
}  // namespace proxymux::pgsql
