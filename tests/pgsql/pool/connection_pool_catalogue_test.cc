// What the pool asks of the catalogue, when, and what it makes of the answers.
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
