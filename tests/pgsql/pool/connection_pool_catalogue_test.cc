// What the pool asks of the catalogue, when, and what it makes of the answers.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "tests/pgsql/pool/own_session_world.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Catalogue : public OwnSessionWorld {};

TEST_F(Catalogue, AsLongAsLookupsComeTheCatalogueIsWatched) {
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

TEST_F(Catalogue, AfterAQuietTimeTheConnectionIsLentUntilTheCatalogueIsKnownNotToHaveChanged) {
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

TEST_F(Catalogue, WhenTheCatalogueHasChangedTheTableIsAskedAbout) {
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

TEST_F(Catalogue, ACatalogueThatDoesNotTellMeansTheSafeWay) {
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

TEST_F(Catalogue, AStampThatCannotBeHadKeepsEveryTableApart) {
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
TEST_F(Catalogue, QuestionsDoNotWaitForConnectionsThatAreLent) {
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

TEST_F(Catalogue, AQuestionWhoseSyncFailsComesBackWithItsConnection) {
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
TEST_F(Catalogue, AConnectionThatDoesNotTakeAQuestionIsReplaced) {
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

// A stamp behind a slow statement would keep its lane from what waits, beside an idle connection.
TEST_F(Catalogue, AStampDoesNotWaitBehindASlowStatement) {
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

TEST_F(Catalogue, SessionsThatAFunctionMayHaveChangedBeforeItShowedAreNotUsedForOthers) {
  Open(2);
  const auto table = Table("f");
  const auto learns = world->Look("0", table);
  world->Turn();
  Finish();
  std::vector<ClientPointer> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(world->Look(std::to_string(i), table));
  world->Pass(milliseconds(2));
  Finish();
  ASSERT_EQ(world->Open().size(), 2U);
  said = {{"f", kOwn}};
  stamp = kOtherStamp;
  said["f"].replace(said["f"].find('0'), 1, "1");  // the same stamp
  world->Pass(milliseconds(600));
  clients.push_back(world->Look("again", table));
  world->Turn();
  Finish();
  world->Pass(milliseconds(600));
  clients.push_back(world->Look("again", table));
  world->Turn();
  Finish();
  ASSERT_EQ(table->session, SessionUse::kOwnSession);
  clients.push_back(world->Look("after", Table("g")));
  world->Turn();
  Finish();
  int seen = 0;
  for (auto* upstream : world->Open()) {
    bool has_f = false;
    for (const std::string& text : upstream->texts()) {
      has_f = has_f || text.find("f(k)") != std::string::npos;
      if (text.find("'after'") == std::string::npos) continue;
      ++seen;
      EXPECT_FALSE(has_f) << "a session that f() may have changed";
    }
  }
  EXPECT_EQ(seen, 1);
}

TEST_F(Catalogue, AQuestionThatComesToNothingEachTimeIsNotAskedForEver) {
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

TEST_F(Catalogue, WhatTurnsOutToWriteWhileItWaitsIsAnsweredAtItsEnd) {
  world = std::make_unique<PoolWorld>(PoolWorld::Connections(1));
  world->OpenAll();
  const int commits = world->Connection(0).commits();
  const auto client = world->Look("1");
  world->reads->write_class = WriteClass::kMayWrite;
  world->Turn();
  EXPECT_EQ(world->Connection(0).commits(), commits + 1);
  world->Connection(0).Answer("v");
  EXPECT_EQ(client->value, "v");
}

// The one that was asked first took long, and meanwhile the catalogue has changed.
TEST_F(Catalogue, AnAnswerAboutACatalogueThatIsNoMoreIsNotTaken) {
  Open(3);
  const auto first = Table("first");
  const auto second = Table("second");
  const auto asks = world->Look("1", first);
  world->Turn();
  const auto question_about = [&](const std::string& name) -> fakes::ScriptedUpstream* {
    for (auto* upstream : world->Open()) {
      const auto* oldest = upstream->answerable() > 0 ? upstream->oldest() : nullptr;
      if (oldest != nullptr && AsksEffects(oldest->sql) &&
          oldest->parameters[0].find(name) != std::string::npos) {
        return upstream;
      }
    }
    return nullptr;
  };
  auto* late = question_about("first");
  ASSERT_NE(late, nullptr);
  world->loop.Advance(milliseconds(5));
  const auto other = world->Look("2", second);
  world->Turn();
  auto* early = question_about("second");
  ASSERT_NE(early, nullptr);
  early->Answer("reads shared " + std::string(kOtherStamp));
  world->Turn();
  ASSERT_EQ(second->write_class, WriteClass::kReads);
  late->Answer(kShared);
  EXPECT_NE(first->write_class, WriteClass::kReads);
  stamp = kOtherStamp;
  said = {{"first", "reads shared " + std::string(kOtherStamp)}};
  Finish();
  const auto again = world->Look("3", first);
  world->Turn();
  Finish();
  EXPECT_EQ(first->write_class, WriteClass::kReads);
}

}  // namespace
}  // namespace proxymux::pgsql
