// Lookups in tables that keep answers: what is asked again and what is not, and that an answer has
// the same bytes wherever it comes from. How long and how many: answer_cache_test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/requests/request_router.h"
#include "tests/proxy/requests/router_fixture.h"

namespace proxymux::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

class RouterCacheTest : public RouterFixture {
 protected:
  RouterCacheTest() { Keep(); }

  ServedTable& table() { return *world_->registry.Find(kTable); }
  void Keep(milliseconds ttl = seconds(10), milliseconds negative_ttl = seconds(5)) {
    table().binding->settings.cache_ttl = ttl;
    table().binding->settings.cache_negative_ttl = negative_ttl;
    table().RenewCache();
  }
  std::size_t Unanswered() {
    Settle();
    return world_->connection().unanswered();
  }
  std::string AnsweredNotFound() {
    Settle();
    world_->connection().AnswerRows({});
    return client_->TakeLate();
  }
};

TEST_F(RouterCacheTest, WithoutTtlsThereIsNone) {
  Make(true);  // as the settings are when nobody set them
  table().RenewCache();
  EXPECT_EQ(table().cache, nullptr);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(client_->Legacy("user"), "(later)");
    EXPECT_EQ(Answered("box"), "status=0 value=box");
  }
  EXPECT_EQ(counters().cache_hits + counters().cache_misses, 0u);
}

TEST_F(RouterCacheTest, TheSecondLookupIsAnsweredAtOnceWithTheSameBytes) {
  EXPECT_EQ(client_->Current("user", 0, 64), "(later)");
  EXPECT_EQ(Answered("box"), "status=0 flags=64 value=box");
  EXPECT_EQ(client_->Current("user", 0, 64), "status=0 flags=64 value=box");
  EXPECT_EQ(client_->Current("user", 0, 7), "status=0 flags=7 value=box")
      << "flags are the client's";
  EXPECT_EQ(client_->Legacy("user"), "status=0 value=box");
  EXPECT_EQ(Unanswered(), 0u);
  EXPECT_EQ(counters().cache_hits, 3u);
  EXPECT_EQ(counters().cache_misses, 1u);
  EXPECT_EQ(counters().found, 4u);
  EXPECT_EQ(counters().latency.count(), 4u);
  EXPECT_EQ(world_->router.counters().replies.ok, 4u);
}

TEST_F(RouterCacheTest, TheKeyIsTheFoldedOne) {
  client_->Legacy("USER", 16384 | 16);
  EXPECT_EQ(Answered("box"), "status=0 value=box");
  EXPECT_EQ(client_->Legacy("User", 16384 | 16), "status=0 value=box");
  EXPECT_EQ(client_->Legacy("user"), "status=0 value=box");
  EXPECT_EQ(client_->Legacy("USER"), "(later)") << "not folded: another key";
  EXPECT_EQ(Answered("other"), "status=0 value=other");
}

TEST_F(RouterCacheTest, NoAnswerIsOlderThanItsTtlSinceTheServerWasAsked) {
  client_->Legacy("user");
  Settle();
  const pgsql::RealTime asked = loop_.RealNow();
  loop_.Advance(seconds(4));
  EXPECT_EQ(Answered("box"), "status=0 value=box");
  while (loop_.RealNow() + milliseconds(100) < asked + seconds(10)) {
    loop_.Advance(milliseconds(100));
    ASSERT_EQ(client_->Legacy("user"), "status=0 value=box");
  }
  loop_.Advance(milliseconds(100));
  EXPECT_EQ(client_->Legacy("user"), "(later)");
  EXPECT_EQ(Answered("new"), "status=0 value=new");
  EXPECT_EQ(client_->Legacy("user"), "status=0 value=new");
}

// It grows old all the same.
TEST_F(RouterCacheTest, AnAnswerGrowsOldAlsoWhileTheProcessIsNotRun) {
  client_->Legacy("user");
  Settle();
  loop_.Pause(seconds(4));
  EXPECT_EQ(Answered("box"), "status=0 value=box");
  loop_.Pause(milliseconds(5900));
  EXPECT_EQ(client_->Legacy("user"), "status=0 value=box");
  loop_.Pause(milliseconds(200));
  EXPECT_EQ(client_->Legacy("user"), "(later)");
  EXPECT_EQ(Answered("new"), "status=0 value=new");
}

// The connection is lost and the statement sent again: the second sending counts.
TEST_F(RouterCacheTest, WhatWasSentAgainCountsFromThen) {
  client_->Legacy("user");
  Settle();
  loop_.Advance(seconds(4));
  world_->connection().Lose("reset");
  Settle();
  EXPECT_EQ(Answered("box"), "status=0 value=box");
  loop_.Advance(seconds(9));
  EXPECT_EQ(client_->Legacy("user"), "status=0 value=box");
  loop_.Advance(seconds(1));
  EXPECT_EQ(client_->Legacy("user"), "(later)");
}

TEST_F(RouterCacheTest, NotFoundHasATimeOfItsOwn) {
  client_->Current("nobody", 0, 64);
  EXPECT_EQ(AnsweredNotFound(), "status=1 flags=64 value=");
  EXPECT_EQ(client_->Current("nobody", 0, 64), "status=1 flags=64 value=");
  EXPECT_EQ(client_->Legacy("nobody"), "status=1 value=");
  EXPECT_EQ(counters().not_found, 3u);
  loop_.Advance(seconds(5));
  EXPECT_EQ(client_->Legacy("nobody"), "(later)");
  EXPECT_EQ(Answered("there"), "status=0 value=there");
  Keep(seconds(10), seconds(0));
  client_->Legacy("nobody");
  EXPECT_EQ(AnsweredNotFound(), "status=1 value=");
  EXPECT_EQ(client_->Legacy("nobody"), "(later)") << "only what is found is kept now";
}

TEST_F(RouterCacheTest, ErrorsAreNotKept) {
  for (const char* sqlstate : {"42P01", "22P02"}) {
    EXPECT_EQ(client_->Legacy("user"), "(later)");
    Settle();
    world_->connection().Fail(sqlstate, "no");
    EXPECT_EQ(client_->TakeLate(), sqlstate[0] == '4' ? "status=5 value=" : "status=2 value=");
  }
  EXPECT_EQ(table().cache->entries(), 0u);
  EXPECT_EQ(client_->Legacy("user"), "(later)");
  EXPECT_EQ(Answered("box"), "status=0 value=box");
}

// Of what the catalogue has not told yet the answer is kept, for when it tells that it reads.
TEST_F(RouterCacheTest, WhatMayWriteIsNeverAnsweredFromTheCache) {
  for (const auto write_class : {pgsql::WriteClass::kMayWrite, pgsql::WriteClass::kAsking}) {
    Keep();
    table().binding->write_class = write_class;
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(client_->Legacy("user"), "(later)");
      EXPECT_EQ(Answered("box"), "status=0 value=box");
    }
    EXPECT_EQ(table().cache->entries(), write_class == pgsql::WriteClass::kMayWrite ? 0u : 1u);
    table().cache->Keep("user", "kept", loop_.RealNow(), loop_.RealNow());
    EXPECT_EQ(client_->Legacy("user"), "(later)");
    EXPECT_EQ(Answered("box"), "status=0 value=box");
  }
  EXPECT_EQ(counters().cache_hits + counters().cache_misses, 0u);
}

TEST_F(RouterCacheTest, AResultThatIsNotUtf8IsTheSameErrorFromTheCache) {
  const std::uint32_t utf8 = 540736;
  EXPECT_EQ(client_->Current("user", utf8, 64), "(later)");
  EXPECT_EQ(Answered("\xff"), "status=5 flags=64 value=");
  EXPECT_THAT(world_->lines.TakeText(), HasSubstr("the result is not valid UTF-8"));
  loop_.Advance(seconds(1));
  EXPECT_EQ(client_->Current("user", utf8, 64), "status=5 flags=64 value=");
  EXPECT_THAT(world_->lines.TakeText(), HasSubstr("the result is not valid UTF-8"));
  EXPECT_EQ(client_->Current("user", 0, 64), "status=0 flags=64 value=\xff");
  EXPECT_EQ(client_->Legacy("user", utf8), "status=0 value=\xff");
  EXPECT_EQ(counters().config, 2u);
  EXPECT_EQ(counters().cache_hits, 3u);
}

TEST_F(RouterCacheTest, ALookupInFlightFillsTheCacheThatItBeganWith) {
  client_->Legacy("user");
  Settle();
  Keep();  // a reload
  EXPECT_EQ(Answered("old"), "status=0 value=old");
  EXPECT_EQ(table().cache->entries(), 0u);
  EXPECT_EQ(client_->Legacy("user"), "(later)");
  EXPECT_EQ(Answered("new"), "status=0 value=new");
}

TEST_F(RouterCacheTest, EachTableHasItsOwn) {
  Client other(&world_->router);
  world_->Add("pgsql:/broken.cf", kQuery).binding->settings = table().binding->settings;
  world_->registry.Find("pgsql:/broken.cf")->RenewCache();
  client_->Legacy("user");
  EXPECT_EQ(Answered("box"), "status=0 value=box");
  EXPECT_EQ(client_->Legacy("user", 0, "pgsql:/broken.cf"), "(later)");
  EXPECT_EQ(Answered("other"), "status=0 value=other");
  EXPECT_EQ(client_->Legacy("user"), "status=0 value=box");
}

TEST_F(RouterCacheTest, ADomainListComesFirst) {
  world_->Add(kTable, std::string(kQuery) + "domain = hash:/domains\n");
  Keep();
  for (const bool kept : {false, true}) {
    const std::size_t asked = world_->domains.count();
    EXPECT_EQ(client_->Legacy("user@example.com"), "(later)");
    ASSERT_EQ(world_->domains.count(), asked + 1) << "the domain is looked up each time";
    world_->domains.Answer(asked, DomainAnswer::Kind::kFound);
    if (!kept) {
      Settle();
      world_->connection().Answer("box");
    }
    EXPECT_EQ(client_->TakeLate(), "status=0 value=box");
  }
  EXPECT_EQ(counters().cache_hits, 1u);
}

TEST_F(RouterCacheTest, EvictionsAreCountedOverTheVersionsOfTheTable) {
  table().binding->settings.cache_max_entries = 1;
  Keep();
  for (const char* key : {"a", "b", "c"}) {
    client_->Legacy(key);
    EXPECT_EQ(Answered("box"), "status=0 value=box");
  }
  EXPECT_EQ(table().cache->entries(), 1u);
  EXPECT_EQ(table().cache->evictions(), 2u);
  EXPECT_EQ(counters().cache_evictions, 0u);
  table().RenewCache();
  EXPECT_EQ(counters().cache_evictions, 2u);
  EXPECT_EQ(table().cache->entries(), 0u);
}

}  // namespace
}  // namespace proxymux::proxy
