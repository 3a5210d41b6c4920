// Which lookups under way are joined, by their age: one that takes longer than its table usually
// does may be with a server that has stopped answering.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "tests/proxy/requests/coalescer_fixture.h"

namespace proxymux::proxy {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CoalescerLateTest : public CoalescerTest {
 protected:
  void SetUsual(milliseconds usual) {
    binding_->service_time = {};
    binding_->service_time.Record(usual);
  }
};

TEST_F(CoalescerLateTest, AYoungLookupIsJoinedAnOldOneIsNot) {
  SetUsual(milliseconds(2));
  Asker first, young, old;
  EXPECT_EQ(Ask(&first, "user"), Started::kAsked);
  Settle();
  loop_.Advance(milliseconds(51));
  EXPECT_EQ(Ask(&young, "user"), Started::kJoined);
  loop_.Advance(milliseconds(1));
  EXPECT_EQ(Ask(&old, "user"), Started::kAsked) << "50 ms more than the table usually takes";
  Settle();
  world_.connection().AnswerEverything("box");
  for (const Asker* asker : {&first, &young, &old}) {
    EXPECT_THAT(asker->answers, ElementsAre("box"));
  }
}

TEST_F(CoalescerLateTest, WhoWaitsForTheOldLookupGetsItsAnswerAndNobodyElseDoes) {
  Asker first, joined, late, later;
  Ask(&first, "user");
  Settle();
  Ask(&joined, "user");
  loop_.Advance(milliseconds(60));
  EXPECT_EQ(Ask(&late, "user"), Started::kAsked);
  EXPECT_EQ(Ask(&later, "user"), Started::kJoined) << "the new one has the old one's entry";
  EXPECT_EQ(world_.coalescer.flights(), 2u);
  Settle();
  world_.connection().Answer("old");
  EXPECT_THAT(first.answers, ElementsAre("old"));
  EXPECT_THAT(joined.answers, ElementsAre("old"));
  EXPECT_THAT(late.answers, IsEmpty());
  Asker last;
  EXPECT_EQ(Ask(&last, "user"), Started::kJoined) << "the old one's end took the new one's entry";
  Settle();
  world_.connection().AnswerEverything("new");
  for (const Asker* asker : {&late, &later, &last}) {
    EXPECT_THAT(asker->answers, ElementsAre("new"));
  }
}

TEST_F(CoalescerLateTest, WhoGivesUpTheOldLookupTakesNoOthersEntry) {
  Asker first, late, later;
  Ask(&first, "user");
  Settle();
  loop_.Advance(milliseconds(60));
  EXPECT_EQ(Ask(&late, "user"), Started::kAsked);
  world_.coalescer.Cancel(&first);
  EXPECT_EQ(Ask(&later, "user"), Started::kJoined);
  Settle();
  world_.connection().AnswerEverything("box");
  EXPECT_THAT(first.answers, IsEmpty());
  EXPECT_THAT(late.answers, ElementsAre("box"));
  EXPECT_THAT(later.answers, ElementsAre("box"));
}

TEST_F(CoalescerLateTest, ASlowTablesLookupsAreJoinedWithinItsUsualTime) {
  SetUsual(milliseconds(90));
  Asker first, usual, late;
  Ask(&first, "user");
  Settle();
  loop_.Advance(milliseconds(139));
  EXPECT_EQ(Ask(&usual, "user"), Started::kJoined) << "no slower than it always is";
  loop_.Advance(milliseconds(1));
  EXPECT_EQ(Ask(&late, "user"), Started::kAsked);
  world_.coalescer.Cancel(&late);
  world_.connection().AnswerEverything("box");
  EXPECT_THAT(first.answers, ElementsAre("box"));
  EXPECT_THAT(usual.answers, ElementsAre("box"));
}

TEST_F(CoalescerLateTest, ATableOfWhichNothingIsKnownCountsAsQuick) {
  binding_->service_time = {};
  Asker first, young, old;
  Ask(&first, "user");
  Settle();
  loop_.Advance(milliseconds(49));
  EXPECT_EQ(Ask(&young, "user"), Started::kJoined);
  loop_.Advance(milliseconds(1));
  EXPECT_EQ(Ask(&old, "user"), Started::kAsked);
  for (Asker* asker : {&first, &young, &old}) world_.coalescer.Cancel(asker);
}

// It waits for a connection, not for a server's answer: another one would wait beside it.
TEST_F(CoalescerLateTest, WhatWasNotSentYetIsJoinedHoweverLongItWaits) {
  world_.factory.SetMood(0, fakes::ScriptedFactory::Mood::kSilent);
  Asker first, late;
  Ask(&first, "user");
  Settle();
  loop_.Advance(milliseconds(200));
  EXPECT_EQ(Ask(&late, "user"), Started::kJoined);
  world_.factory.SetMood(0, fakes::ScriptedFactory::Mood::kAccepts);
  Settle();
  world_.connection().AnswerEverything("box");
  EXPECT_THAT(first.answers, ElementsAre("box"));
  EXPECT_THAT(late.answers, ElementsAre("box"));
}

}  // namespace
}  // namespace proxymux::proxy
