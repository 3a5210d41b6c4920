// Statements that may change their session, over connections that other tables share.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "tests/pgsql/pool/own_session_world.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class OwnSession : public OwnSessionWorld {};

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

TEST_F(OwnSession, ATableThatHasAConnectionIsNotHeldUpByOneThatHasNone) {
  Open(2);
  const auto has_one = PoolWorld::Table("SELECT f(k) FROM t WHERE k = '%s'", WriteClass::kReads);
  const auto has_none = PoolWorld::Table("SELECT g(k) FROM t WHERE k = '%s'", WriteClass::kReads);
  has_one->session = has_none->session = SessionUse::kOwnSession;
  const auto first = world->Look("1", has_one);
  world->Turn();
  Finish();
  const auto before = world->Look("2", has_none);  // the other connection stays for all others
  const auto after = world->Look("3", has_one);
  world->loop.EndTurn();
  std::vector<std::string> sent;
  for (auto* upstream : world->Open()) {
    if (upstream->oldest() != nullptr) sent.push_back(upstream->oldest()->sql);
  }
  EXPECT_EQ(sent, std::vector<std::string>{"SELECT f(k) FROM t WHERE k = '3'"});
  Finish();
  EXPECT_EQ(before->value, "v");
  EXPECT_EQ(after->value, "v");
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
  AnswerOthers(first);
  ASSERT_EQ(table->session, SessionUse::kOwnSession);
  const auto second = world->Look("2", table);
  AnswerOthers(first);
  EXPECT_EQ(second->value, "v");
  EXPECT_EQ(first->answers, 0);
  Finish();
}

// Also a new table's, of which the catalogue is to say something first, and whose statement is
// prepared.
TEST_F(OwnSession, OneLookupOpensOneConnection) {
  world = std::make_unique<PoolWorld>(PoolWorld::Connections(4));
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

// A slow lookup that finds only another table's connection is to get one; but not when it has gone.
TEST_F(OwnSession, WhatASlowLookupWantedIsForgottenWithItsTurn) {
  said = {{"f", kOwn}};
  Open(1);
  const auto own = Table("f");
  const auto slow = PoolWorld::Table("SELECT slow FROM t WHERE k = '%s'", WriteClass::kReads);
  slow->service_time.Record(seconds(10));
  ASSERT_TRUE(slow->NeedsLane());
  const auto first = world->Look("1", own);
  world->Turn();
  Finish();
  const auto running = world->Look("2", own);
  world->Turn();
  const auto gone = world->Look("3", slow);
  world->Turn();
  world->Abandon(gone);
  Finish();
  const auto last = world->Look("4", own);
  world->Turn();
  Finish();
  EXPECT_EQ(last->value, "v");
  const int made = world->factory.made();
  for (int i = 0; i < 100; ++i) world->Pass(milliseconds(10));
  EXPECT_EQ(world->factory.made(), made);
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

}  // namespace
}  // namespace proxymux::pgsql
