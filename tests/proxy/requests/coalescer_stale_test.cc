// Lookups that no server can answer, in tables that keep answers for that case.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/proxy/requests/coalescer_fixture.h"

namespace proxymux::proxy {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// What was known an hour ago, in a table that keeps answers for the case that every host is down.
class CoalescerStaleTest : public CoalescerTest {
 protected:
  explicit CoalescerStaleTest(config::Milliseconds outage_wait = {}) : CoalescerTest(outage_wait) {
    cache_ = std::make_shared<AnswerCache>(AnswerCache::Limits{{}, {}, 100, hours(2)});
    cache_->Keep("user", "box", loop_.RealNow(), loop_.RealNow());
    cache_->Keep("nobody", "", loop_.RealNow(), loop_.RealNow());
    loop_.Advance(hours(1));
  }
  void LoseTheDatabase() {
    world_.factory.SetMood(0, fakes::ScriptedFactory::Mood::kRefuses);
    Settle();
    Settle();  // the only host is tried twice
  }
};

TEST_F(CoalescerStaleTest, WhileEveryHostIsDownAllWhoWaitGetThem) {
  std::vector<std::string> order;
  Asker a("a", &order), b("b", &order), c("c", &order), d("d", &order);
  Ask(&a, "user");
  EXPECT_EQ(Ask(&b, "user"), Started::kJoined);
  Ask(&c, "nobody");
  Ask(&d, "never asked");
  LoseTheDatabase();
  EXPECT_THAT(a.answers, ElementsAre("box"));
  EXPECT_THAT(b.answers, ElementsAre("box"));
  EXPECT_THAT(order, ElementsAre("a", "b", "c", "d"));
  for (const Asker* asker : {&a, &b, &c}) {
    EXPECT_THAT(asker->ages, ElementsAre(hours(1)));
    EXPECT_THAT(asker->causes, ElementsAre(HasSubstr("connection refused")));
  }
  EXPECT_THAT(c.answers, ElementsAre("()")) << "not found";
  EXPECT_THAT(d.answers, ElementsAre(HasSubstr("connection refused")));
  EXPECT_THAT(d.ages, IsEmpty());
}

// The first lookup of a table may be answered before the catalogue has told.
TEST_F(CoalescerStaleTest, WhatWasAnsweredBeforeItWasKnownToReadIsKept) {
  for (const auto write_class : {pgsql::WriteClass::kReads, pgsql::WriteClass::kMayWrite}) {
    const std::string key = write_class == pgsql::WriteClass::kReads ? "reads" : "writes";
    binding_->write_class = pgsql::WriteClass::kAsking;
    Asker first;
    Ask(&first, key);
    Settle();
    world_.connection().Answer("new");
    loop_.EndTurn();
    EXPECT_THAT(first.answers, ElementsAre("new"));
    binding_->write_class = write_class;
    Asker second;
    Ask(&second, key);
    world_.connection().Lose("gone");
    LoseTheDatabase();
    const bool is_kept = write_class == pgsql::WriteClass::kReads;
    EXPECT_EQ(second.ages.size(), is_kept ? 1U : 0U) << key;
    world_.factory.SetMood(0, fakes::ScriptedFactory::Mood::kAccepts);
    loop_.Advance(seconds(5));
    Settle();
  }
}

TEST_F(CoalescerStaleTest, ThoseThatAreTooOldAreNotGiven) {
  loop_.Advance(hours(1));
  Asker a;
  Ask(&a, "user");
  LoseTheDatabase();
  EXPECT_THAT(a.answers, ElementsAre(HasSubstr("connection refused")));
}

TEST_F(CoalescerStaleTest, AHostThatAnswersIsBelievedWhateverItSays) {
  Asker a, b, c;
  Ask(&a, "user");
  Settle();
  world_.connection().Fail("22P02", "invalid input syntax");
  EXPECT_THAT(a.answers, ElementsAre(HasSubstr("invalid input syntax")));
  Ask(&b, "user");
  Settle();
  world_.connection().Fail("42601", "syntax error");
  EXPECT_THAT(b.answers, ElementsAre(HasSubstr("syntax error")));
  Ask(&c, "user");
  Settle();
  world_.connection().AnswerRows({});
  EXPECT_THAT(c.answers, ElementsAre("()"));
  for (const Asker* asker : {&a, &b, &c}) EXPECT_THAT(asker->ages, IsEmpty());
}

TEST_F(CoalescerStaleTest, ALookupThatTookTooLongGetsNoneWhileTheHostIsThere) {
  config::PoolSettings settings = world_.pool->settings();
  settings.stall_limit = {};  // nothing else ends the wait
  world_.pool->SetSettings(settings);
  binding_->settings.lookup_timeout = seconds(2);
  Asker a;
  Ask(&a, "user");
  Settle();
  loop_.Advance(seconds(3));
  EXPECT_THAT(a.answers, ElementsAre("(no answer within lookup_timeout)"));
  EXPECT_THAT(a.ages, IsEmpty());
}

TEST_F(CoalescerStaleTest, NoneAreGivenForWhatMayWrite) {
  for (const auto write_class : {pgsql::WriteClass::kMayWrite, pgsql::WriteClass::kAsking}) {
    binding_->write_class = write_class;
    Asker a;
    Ask(&a, "user");
    LoseTheDatabase();
    EXPECT_THAT(a.answers, ElementsAre(HasSubstr("connection refused")));
  }
}

TEST_F(CoalescerStaleTest, TheEndOfTheServiceIsNoLossOfTheDatabase) {
  Asker a;
  Ask(&a, "user");
  world_.coalescer.AnswerAll({pgsql::Outcome::kRetry, {}, "the service is ending"});
  EXPECT_THAT(a.answers, ElementsAre("(the service is ending)"));
}

TEST_F(CoalescerStaleTest, WhoAsksAgainFromOneMayFillTheCacheUp) {
  Asker a, b;
  a.then = [&] {
    for (int i = 0; i < 200; ++i) {
      cache_->Keep("key" + std::to_string(i), "x", loop_.RealNow(), loop_.RealNow());
    }
    Ask(&a, "other");
  };
  Ask(&a, "user");
  Ask(&b, "user");
  LoseTheDatabase();
  EXPECT_EQ(b.answers, std::vector<std::string>{"box"})
      << "it was dropped from the cache meanwhile";
  EXPECT_EQ(cache_->FindStale("user", loop_.RealNow()), std::nullopt);
  world_.coalescer.Cancel(&a);
}

class CoalescerInOutageTest : public CoalescerStaleTest {
 protected:
  CoalescerInOutageTest() : CoalescerStaleTest(seconds(5)) {}
};

TEST_F(CoalescerInOutageTest, WhoeverHasAnAnswerThatIsKeptDoesNotWait) {
  Asker a, b, c;
  Ask(&a, "user");
  EXPECT_EQ(Ask(&b, "user"), Started::kJoined);
  Ask(&c, "never asked");
  LoseTheDatabase();
  EXPECT_THAT(a.answers, ElementsAre("box"));
  EXPECT_THAT(b.ages, ElementsAre(hours(1)));
  EXPECT_THAT(b.causes, ElementsAre(HasSubstr("connection refused")));
  EXPECT_THAT(c.answers, IsEmpty());
  Asker late;
  Ask(&late, "nobody");
  loop_.EndTurn();
  EXPECT_THAT(late.answers, ElementsAre("()")) << "not found";
  EXPECT_EQ(world_.coalescer.flights(), 1U);
  loop_.Advance(seconds(5));
  loop_.EndTurn();
  EXPECT_THAT(c.answers, ElementsAre(HasSubstr("connection refused")));
  EXPECT_THAT(c.ages, IsEmpty());
}

TEST_F(CoalescerInOutageTest, NorDoesItCountAsOneThatWaitedOrWasAnsweredRetry) {
  Asker kept, unknown, late, later;
  Ask(&kept, "user");
  Ask(&unknown, "never asked");
  LoseTheDatabase();
  EXPECT_EQ(world_.pool->counters().outage_waits, 1U);
  loop_.Advance(seconds(6));
  for (Asker* asker : {&late, &later}) {
    Ask(asker, asker == &late ? "user" : "never asked");
    loop_.EndTurn();
  }
  EXPECT_THAT(late.answers, ElementsAre("box"));
  EXPECT_THAT(later.answers, ElementsAre(HasSubstr("connection refused")));
  EXPECT_EQ(world_.pool->counters().outage_retries, 2U);

  world_.factory.SetMood(0, fakes::ScriptedFactory::Mood::kAccepts);
  loop_.Advance(seconds(1));
  Settle();
  Asker last;
  Ask(&last, "new");
  loop_.EndTurn();
  world_.connection().Answer("of the catalogue");  // the pool's own question comes first
  loop_.EndTurn();
  world_.connection().Answer("box");
  EXPECT_THAT(last.answers, ElementsAre("box"));
  EXPECT_THAT(world_.lines.TakeText(),
              HasSubstr(": 1 lookups waited for it, 2 were answered RETRY"));
}

}  // namespace
}  // namespace proxymux::proxy
