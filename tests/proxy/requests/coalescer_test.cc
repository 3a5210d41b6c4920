// Equal lookups in flight, over a real pool on a played database server.
#include "proxy/requests/coalescer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/proxy/requests/coalescer_fixture.h"

namespace proxymux::proxy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(CoalescerTest, EqualLookupsShareOneStatementAndAreAnsweredInTheirOrder) {
  std::vector<std::string> order;
  Asker a("a", &order), b("b", &order), c("c", &order);
  EXPECT_EQ(Ask(&a, "user"), Started::kAsked);
  EXPECT_EQ(Ask(&b, "user"), Started::kJoined);
  Settle();
  EXPECT_EQ(Ask(&c, "user"), Started::kJoined) << "it is under way already";
  Settle();
  EXPECT_EQ(world_.connection().unanswered(), 1u);
  world_.connection().Answer("box");
  EXPECT_THAT(a.answers, ElementsAre("box"));
  EXPECT_THAT(b.answers, ElementsAre("box"));
  EXPECT_THAT(c.answers, ElementsAre("box"));
  EXPECT_THAT(order, ElementsAre("a", "b", "c"));
}

TEST_F(CoalescerTest, OtherKeysAndOtherVersionsOfTheTableAreOtherQuestions) {
  Asker a, b, c;
  Ask(&a, "user");
  EXPECT_EQ(Ask(&b, "User"), Started::kAsked);
  binding_ = Bind("pgsql:/a.cf", kSharedQuery);  // its file was touched
  EXPECT_EQ(Ask(&c, "user"), Started::kAsked);
  Settle();
  EXPECT_EQ(world_.connection().unanswered(), 3u);
  world_.connection().Answer("1");
  world_.connection().Answer("2");
  world_.connection().Answer("3");
  EXPECT_THAT(a.answers, ElementsAre("1"));
  EXPECT_THAT(b.answers, ElementsAre("2"));
  EXPECT_THAT(c.answers, ElementsAre("3"));
}

TEST_F(CoalescerTest, WhatMayWriteIsNeverShared) {
  for (const auto coalesce : {config::Coalesce::kInFlight, config::Coalesce::kUnsent}) {
    for (const auto write_class : {pgsql::WriteClass::kMayWrite, pgsql::WriteClass::kAsking}) {
      binding_ = Bind("pgsql:/w.cf", kSharedQuery);
      binding_->settings.coalesce = coalesce;
      binding_->write_class = write_class;
      Asker a, b;
      EXPECT_EQ(Ask(&a, "user"), Started::kAsked);
      EXPECT_EQ(Ask(&b, "user"), Started::kAsked);
      world_.coalescer.Cancel(&a);
      world_.coalescer.Cancel(&b);
    }
  }
}

TEST_F(CoalescerTest, ATableMayKeepItsLookupsApart) {
  binding_->settings.coalesce = config::Coalesce::kOff;
  Asker a, b;
  Ask(&a, "user");
  EXPECT_EQ(Ask(&b, "user"), Started::kAsked);
  Settle();
  world_.connection().Answer("1");
  world_.connection().Answer("2");
  EXPECT_THAT(a.answers, ElementsAre("1"));
  EXPECT_THAT(b.answers, ElementsAre("2"));
}

TEST_F(CoalescerTest, ATableMayShareOnlyWhatWasNotSentYet) {
  binding_->settings.coalesce = config::Coalesce::kUnsent;
  Asker a, b, c, d;
  Ask(&a, "user");
  EXPECT_EQ(Ask(&b, "user"), Started::kJoined);
  Settle();
  EXPECT_EQ(world_.connection().unanswered(), 1u);
  EXPECT_EQ(Ask(&c, "user"), Started::kAsked) << "the answer may be older than this question";
  EXPECT_EQ(Ask(&d, "user"), Started::kJoined) << "the new one has the old one's entry";
  world_.connection().Answer("old");
  Asker e;
  EXPECT_EQ(Ask(&e, "user"), Started::kJoined) << "the old one's end took the new one's entry";
  Settle();
  EXPECT_EQ(world_.connection().unanswered(), 1u);
  world_.connection().Answer("new");
  EXPECT_THAT(a.answers, ElementsAre("old"));
  EXPECT_THAT(b.answers, ElementsAre("old"));
  for (const Asker* asker : {&c, &d, &e}) EXPECT_THAT(asker->answers, ElementsAre("new"));
}

TEST_F(CoalescerTest, WhatWaitsToBeSentAgainWasSent) {
  binding_->settings.coalesce = config::Coalesce::kUnsent;
  Asker a, b;
  Ask(&a, "user");
  Settle();
  world_.connection().Lose("reset");
  EXPECT_EQ(Ask(&b, "user"), Started::kAsked);
  for (int i = 0; i < 2; ++i) {  // one at a time where a connection was lost
    Settle();
    EXPECT_EQ(world_.connection().unanswered(), 1u);
    world_.connection().AnswerEverything("box");
  }
  EXPECT_THAT(a.answers, ElementsAre("box"));
  EXPECT_THAT(b.answers, ElementsAre("box"));
  Asker c, d;  // the pool uses its memory of a lookup for others
  Ask(&c, "user");
  EXPECT_EQ(Ask(&d, "user"), Started::kJoined);
  for (Asker* asker : {&c, &d}) world_.coalescer.Cancel(asker);
}

TEST_F(CoalescerTest, WhoGivesUpALookupThatCannotBeJoinedTakesNoOthersEntry) {
  binding_->settings.coalesce = config::Coalesce::kUnsent;
  Asker a, b, c;
  Ask(&a, "user");
  Settle();
  Ask(&b, "user");
  world_.coalescer.Cancel(&a);
  EXPECT_EQ(Ask(&c, "user"), Started::kJoined);
  for (Asker* asker : {&b, &c}) world_.coalescer.Cancel(asker);
}

// The lookup began while it was not known whether the statement writes; now it is known.
TEST_F(CoalescerTest, ALookupThatBeganUnsharedIsNotJoinedLater) {
  binding_->write_class = pgsql::WriteClass::kAsking;
  Asker a, b, c;
  Ask(&a, "user");
  binding_->write_class = pgsql::WriteClass::kReads;
  EXPECT_EQ(Ask(&b, "user"), Started::kAsked);
  EXPECT_EQ(Ask(&c, "user"), Started::kJoined);
  world_.coalescer.Cancel(&a);
  Asker d;
  EXPECT_EQ(Ask(&d, "user"), Started::kJoined) << "the first one's end took the second's entry";
  for (Asker* asker : {&b, &c, &d}) world_.coalescer.Cancel(asker);
}

TEST_F(CoalescerTest, OneWhoGivesUpLeavesTheOthersWaiting) {
  Asker a, b, c;
  Ask(&a, "user");
  Ask(&b, "user");
  world_.coalescer.Cancel(&a);
  EXPECT_FALSE(a.waiting());
  EXPECT_EQ(Ask(&c, "user"), Started::kJoined);
  Settle();
  world_.connection().Answer("box");
  EXPECT_THAT(a.answers, IsEmpty());
  EXPECT_THAT(b.answers, ElementsAre("box"));
  EXPECT_THAT(c.answers, ElementsAre("box"));
}

TEST_F(CoalescerTest, WhoGivesUpAnywhereLeavesTheOthersInTheirOrder) {
  std::vector<std::string> order;
  std::vector<std::unique_ptr<Asker>> askers;
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) {
    askers.push_back(std::make_unique<Asker>(name, &order));
    Ask(askers.back().get(), "user");
  }
  for (const std::size_t i : {5u, 0u, 2u, 3u}) world_.coalescer.Cancel(askers[i].get());
  EXPECT_EQ(Ask(askers[2].get(), "user"), Started::kJoined);
  EXPECT_EQ(Ask(askers[0].get(), "user"), Started::kJoined);
  Settle();
  world_.connection().Answer("box");
  EXPECT_THAT(order, ElementsAre("b", "e", "c", "a"));
}

TEST_F(CoalescerTest, WhenAllHaveGivenUpTheAnswerIsForNobody) {
  Asker a, b;
  Ask(&a, "user");
  Ask(&b, "user");
  Settle();
  world_.coalescer.Cancel(&a);
  world_.coalescer.Cancel(&b);
  world_.coalescer.Cancel(&b);  // again: nothing
  EXPECT_EQ(world_.coalescer.flights(), 0u);
  Asker c;
  EXPECT_EQ(Ask(&c, "user"), Started::kAsked) << "joined a lookup that nobody tells of";
  Settle();
  loop_.Advance(std::chrono::milliseconds(1));  // the connection is busy with the other one
  world_.connection().AnswerEverything("box");
  EXPECT_THAT(a.answers, IsEmpty());
  EXPECT_THAT(c.answers, ElementsAre("box"));
}

TEST_F(CoalescerTest, WhoAsksAgainFromTheAnswerPutsANewQuestion) {
  Asker a, b;
  a.then = [&] { EXPECT_EQ(Ask(&a, "user"), Started::kAsked); };
  b.then = [&] { EXPECT_EQ(Ask(&b, "user"), Started::kJoined); };
  Ask(&a, "user");
  Ask(&b, "user");
  Settle();
  world_.connection().Answer("old");
  EXPECT_TRUE(a.waiting());
  Settle();
  world_.connection().Answer("new");
  EXPECT_THAT(a.answers, ElementsAre("old", "new"));
  EXPECT_THAT(b.answers, ElementsAre("old", "new"));
}

TEST_F(CoalescerTest, ALostConnectionCostsTheWaitingNothingButTime) {
  Asker a, b;
  Ask(&a, "user");
  Ask(&b, "user");
  Settle();
  world_.connection().Lose("reset");
  Settle();
  EXPECT_THAT(a.answers, IsEmpty());
  world_.connection().Answer("box");
  EXPECT_THAT(a.answers, ElementsAre("box"));
  EXPECT_THAT(b.answers, ElementsAre("box"));
}

TEST_F(CoalescerTest, WithoutADatabaseAllAreToldWhy) {
  world_.factory.SetMood(0, fakes::ScriptedFactory::Mood::kRefuses);
  Asker a, b;
  Ask(&a, "user");
  Ask(&b, "user");
  Settle();
  Settle();  // the only host is tried twice
  ASSERT_EQ(a.answers.size(), 1u);
  EXPECT_THAT(a.answers[0], ::testing::HasSubstr("connection refused"));
  EXPECT_EQ(a.answers, b.answers);
}

TEST_F(CoalescerTest, AtTheEndEveryoneIsAnsweredNow) {
  Asker a, b, c;
  Ask(&a, "user");
  Ask(&b, "user");
  Ask(&c, "other");
  Settle();
  a.then = [&] { Ask(&a, "user"); };
  world_.coalescer.AnswerAll({pgsql::Outcome::kRetry, {}, "the service is ending"});
  EXPECT_THAT(a.answers, ElementsAre("(the service is ending)"));
  EXPECT_THAT(b.answers, ElementsAre("(the service is ending)"));
  EXPECT_THAT(c.answers, ElementsAre("(the service is ending)"));
  EXPECT_EQ(world_.coalescer.flights(), 1u) << "what was asked since is not answered so";
  world_.coalescer.Cancel(&a);
}

// One asks for what another, not yet told, still waits for: both get the same end.
TEST_F(CoalescerTest, AtTheEndWhoJoinsAnotherMeanwhileIsAnsweredWithIt) {
  Asker a, b;
  Ask(&a, "one");
  Ask(&b, "two");
  a.then = [&] { Ask(&a, "two"); };
  world_.coalescer.AnswerAll({pgsql::Outcome::kRetry, {}, "end"});
  EXPECT_THAT(a.answers, ElementsAre("(end)", "(end)"));
  EXPECT_THAT(b.answers, ElementsAre("(end)"));
}

TEST_F(CoalescerTest, ManyLookupsComeAndGoInAnyOrder) {
  std::vector<std::unique_ptr<Asker>> askers;
  for (int i = 0; i < 3000; ++i) {
    askers.push_back(std::make_unique<Asker>());
    Ask(askers.back().get(), std::string(i % 7 == 0 ? 5000 : 1, 'x') + std::to_string(i % 1500));
  }
  for (std::size_t i = 0; i < askers.size(); i += 3) world_.coalescer.Cancel(askers[i].get());
  for (int turn = 0; turn < 200 && world_.coalescer.flights() > 0; ++turn) {
    Settle();
    world_.connection().AnswerEverything("box");
  }
  for (std::size_t i = 0; i < askers.size(); ++i) {
    ASSERT_EQ(askers[i]->answers.size(), i % 3 == 0 ? 0u : 1u) << i;
  }
}

TEST_F(CoalescerTest, ALookupHoldsOnToTheVersionThatItBeganWith) {
  Asker a;
  Ask(&a, "user");
  binding_.reset();
  Settle();
  world_.connection().Answer("box");
  EXPECT_THAT(a.answers, ElementsAre("box"));
}

}  // namespace
}  // namespace proxymux::proxy
