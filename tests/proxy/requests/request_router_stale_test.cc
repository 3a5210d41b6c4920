// Lookups while every host is down, in tables that allow answers from before: what clients get,
// what is counted and what the log says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/requests/request_router.h"
#include "tests/proxy/requests/router_fixture.h"

namespace proxymux::proxy {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class RouterStaleTest : public RouterFixture {
 protected:
  ServedTable& table() { return *world_->registry.Find(kTable); }
  void Allow(milliseconds stale_if_error, milliseconds ttl = {}) {
    table().binding->settings.stale_if_error = stale_if_error;
    table().binding->settings.cache_ttl = ttl;
    table().RenewCache();
  }
  // `user` has a box and `nobody` has none, as the server says now.
  void Learn() {
    EXPECT_EQ(client_->Legacy("user"), "(later)");
    EXPECT_EQ(Answered("box"), "status=0 value=box");
    EXPECT_EQ(client_->Legacy("nobody"), "(later)");
    Settle();
    world_->connection().AnswerRows({});
    EXPECT_EQ(client_->TakeLate(), "status=1 value=");
  }
  void LoseTheDatabase() {
    world_->factory.SetMood(0, fakes::ScriptedFactory::Mood::kRefuses);
    Settle();
    for (auto* connection : world_->factory.Open()) connection->Lose("reset");
    Settle();
    world_->lines.Take();
  }
  std::string Looked(const std::string& key) {
    EXPECT_EQ(client_->Legacy(key), "(later)");
    Settle();
    Settle();  // the only host is tried twice
    return client_->TakeLate();
  }
};

TEST_F(RouterStaleTest, NothingIsKeptWhereNobodyAsksForIt) {
  table().RenewCache();
  EXPECT_EQ(table().cache, nullptr);
  Learn();
  LoseTheDatabase();
  EXPECT_EQ(Looked("user"), "status=2 value=");
  EXPECT_EQ(counters().stale, 0u);
}

TEST_F(RouterStaleTest, WhatWasKnownIsAnsweredAndTheRestIsRetry) {
  Allow(hours(1));
  Learn();
  EXPECT_EQ(counters().cache_hits + counters().cache_misses, 0u) << "it never gives fresh ones";
  loop_.Advance(hours(1) - seconds(1));
  LoseTheDatabase();
  EXPECT_EQ(Looked("user"), "status=0 value=box");
  EXPECT_EQ(Looked("nobody"), "status=1 value=");
  EXPECT_EQ(Looked("other"), "status=2 value=");
  EXPECT_EQ(counters().stale, 2u);
  EXPECT_EQ(counters().found, 2u);
  EXPECT_EQ(counters().not_found, 2u);
  EXPECT_EQ(counters().retry, 1u);
  EXPECT_EQ(counters().latency.count(), 4u);
  loop_.Advance(seconds(1));
  EXPECT_EQ(Looked("user"), "status=2 value=") << "an hour ago";
  EXPECT_EQ(counters().stale, 2u);
}

TEST_F(RouterStaleTest, ADatabaseThatIsBackIsAskedAgain) {
  Allow(hours(1));
  Learn();
  LoseTheDatabase();
  EXPECT_EQ(Looked("user"), "status=0 value=box");
  world_->factory.SetMood(0, fakes::ScriptedFactory::Mood::kAccepts);
  loop_.Advance(seconds(1));
  Settle();
  EXPECT_EQ(client_->Legacy("user"), "(later)");
  EXPECT_EQ(Answered("new"), "status=0 value=new");
  EXPECT_EQ(counters().stale, 1u);
}

TEST_F(RouterStaleTest, EveryoneWhoWaitsGetsItInTheirOwnDialect) {
  Allow(hours(1));
  Learn();
  LoseTheDatabase();
  Client other(&world_->router);
  EXPECT_EQ(client_->Legacy("user"), "(later)");
  EXPECT_EQ(other.Current("user", 0, 64), "(later)");
  Settle();
  Settle();
  EXPECT_EQ(client_->TakeLate(), "status=0 value=box");
  EXPECT_EQ(other.TakeLate(), "status=0 flags=64 value=box");
  EXPECT_EQ(counters().stale, 2u);
  EXPECT_EQ(counters().coalesced, 1u);
}

TEST_F(RouterStaleTest, WithATtlTheCacheAnswersFirstAndWithoutAWord) {
  Allow(hours(1), seconds(10));
  Learn();
  LoseTheDatabase();
  EXPECT_EQ(client_->Legacy("user"), "status=0 value=box");
  EXPECT_EQ(counters().stale, 0u);
  EXPECT_THAT(world_->lines.Take(), IsEmpty());
  loop_.Advance(seconds(10));
  EXPECT_EQ(Looked("user"), "status=0 value=box");
  EXPECT_EQ(counters().stale, 1u);
  EXPECT_EQ(counters().cache_hits, 1u);
  EXPECT_EQ(counters().cache_misses, 3u);
}

TEST_F(RouterStaleTest, WhatMayWriteIsNeverAnsweredSo) {
  Allow(hours(1));
  Learn();
  table().binding->write_class = pgsql::WriteClass::kMayWrite;
  LoseTheDatabase();
  EXPECT_EQ(Looked("user"), "status=2 value=");
  EXPECT_EQ(counters().stale, 0u);
}

TEST_F(RouterStaleTest, AReloadForgetsThem) {
  Allow(hours(1));
  Learn();
  table().RenewCache();
  LoseTheDatabase();
  EXPECT_EQ(Looked("user"), "status=2 value=");
}

TEST_F(RouterStaleTest, TheLogSaysWhatHappensHowOldItIsAndNotTooOften) {
  Allow(hours(1));
  Learn();
  loop_.Advance(seconds(312));
  LoseTheDatabase();
  EXPECT_EQ(Looked("user"), "status=0 value=box");
  EXPECT_THAT(world_->lines.TakeText(),
              HasSubstr("table pgsql:/a.cf: every host is down (db1: connection refused): a lookup "
                        "is answered with what was known 312 s ago (stale_if_error)"));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Looked("user"), "status=0 value=box");
  EXPECT_LE(world_->lines.Take().size(), 4u);
  EXPECT_THAT(Looked("other"), "status=2 value=");
  const std::string retry = world_->lines.TakeText();
  EXPECT_THAT(retry, HasSubstr("lookup failed for now"));
  EXPECT_THAT(retry, Not(HasSubstr("stale_if_error")));
}

}  // namespace
}  // namespace proxymux::proxy
