// How long answers are kept, what gives way, and that nothing grows. Time is the test's.
#include "proxy/tables/answer_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <utility>

#include "tests/harness/allocations.h"

namespace proxymux::proxy {
namespace {

using harness::allocations;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Found = std::optional<std::string_view>;

const pgsql::RealTime kStart{std::chrono::hours(1)};

AnswerCache::Limits Limits(std::size_t max_entries = 100) {
  return {seconds(10), seconds(5), max_entries};
}

TEST(AnswerCache, GivesBackWhatWasFoundAndWhatWasNot) {
  AnswerCache cache(Limits());
  EXPECT_EQ(cache.Find("user", kStart), std::nullopt);
  cache.Keep("user", std::string_view("b\0x", 3), kStart, kStart);
  cache.Keep("nobody", "", kStart, kStart);
  EXPECT_EQ(cache.Find("user", kStart), Found(std::string_view("b\0x", 3)));
  EXPECT_EQ(cache.Find("nobody", kStart), Found(""));
  EXPECT_EQ(cache.Find("use", kStart), std::nullopt);
  EXPECT_EQ(cache.Find("user2", kStart), std::nullopt);
  EXPECT_EQ(cache.entries(), 2u);
}

TEST(AnswerCache, AnAnswerEndsItsTimeAfterTheQuestionAndNoHitMakesItLonger) {
  AnswerCache cache(Limits());
  // The server took 3 s to answer.
  cache.Keep("user", "box", kStart, kStart + seconds(3));
  cache.Keep("nobody", "", kStart, kStart + seconds(3));
  for (int ms = 3000; ms < 10000; ++ms) {
    const pgsql::RealTime now = kStart + milliseconds(ms);
    ASSERT_EQ(cache.Find("user", now), Found("box")) << ms;
    ASSERT_EQ(cache.Find("nobody", now), ms < 5000 ? Found("") : Found()) << ms;
  }
  EXPECT_EQ(cache.Find("user", kStart + seconds(10)), std::nullopt);
  EXPECT_EQ(cache.entries(), 0u);
  EXPECT_EQ(cache.bytes(), 0u);
  EXPECT_EQ(cache.evictions(), 0u) << "that was not for lack of room";
}

TEST(AnswerCache, WhatIsForgottenDoesNotComeBackWithAnAnswerThatWasUnderWay) {
  AnswerCache cache(Limits());
  cache.Keep("user", "box", kStart, kStart);
  cache.Keep("other", "box", kStart, kStart);
  EXPECT_TRUE(cache.Forget("user", kStart + seconds(2)));
  EXPECT_FALSE(cache.Forget("user", kStart + seconds(2)));
  cache.Keep("user", "box", kStart + seconds(1), kStart + seconds(3));
  EXPECT_EQ(cache.Find("user", kStart + seconds(3)), std::nullopt);
  EXPECT_EQ(cache.Find("other", kStart + seconds(3)), Found("box"));
  cache.Keep("user", "new", kStart + seconds(2), kStart + seconds(3));
  EXPECT_EQ(cache.Find("user", kStart + seconds(3)), Found("new"));
  cache.ForgetAll(kStart + seconds(4));
  EXPECT_EQ(cache.entries(), 0u);
  EXPECT_EQ(cache.bytes(), 0u);
  cache.Keep("other", "old", kStart + seconds(3), kStart + seconds(5));
  EXPECT_EQ(cache.entries(), 0u);
}

TEST(AnswerCache, AnAnswerThatTookAsLongAsItsTimeIsNotKept) {
  AnswerCache cache(Limits());
  cache.Keep("user", "box", kStart, kStart + seconds(10));
  cache.Keep("nobody", "", kStart, kStart + seconds(5));
  EXPECT_EQ(cache.entries(), 0u);
}

TEST(AnswerCache, EachKindMayBeOff) {
  AnswerCache found({seconds(10), seconds(0), 100});
  AnswerCache missing({seconds(0), seconds(10), 100});
  for (AnswerCache* cache : {&found, &missing}) {
    cache->Keep("user", "box", kStart, kStart);
    cache->Keep("nobody", "", kStart, kStart);
  }
  EXPECT_EQ(found.Find("user", kStart), Found("box"));
  EXPECT_EQ(found.Find("nobody", kStart), std::nullopt);
  EXPECT_EQ(missing.Find("user", kStart), std::nullopt);
  EXPECT_EQ(missing.Find("nobody", kStart), Found(""));
}

// Two connections answer in another order than they were asked.
TEST(AnswerCache, AnOlderAnswerNeverReplacesANewerOne) {
  AnswerCache cache(Limits());
  cache.Keep("user", "new", kStart + seconds(1), kStart + seconds(2));
  cache.Keep("user", "old", kStart, kStart + seconds(3));
  EXPECT_EQ(cache.Find("user", kStart + seconds(3)), Found("new"));
  cache.Keep("user", "", kStart + seconds(4), kStart + seconds(4));
  EXPECT_EQ(cache.Find("user", kStart + seconds(4)), Found(""));
  EXPECT_EQ(cache.Find("user", kStart + seconds(9)), std::nullopt) << "the new one's time";
}

TEST(AnswerCache, ANewerAnswerThatCannotBeKeptRemovesTheOlder) {
  AnswerCache cache({seconds(10), seconds(0), 100});
  const pgsql::RealTime later = kStart + seconds(1);
  cache.Keep("gone", "box", kStart, kStart);
  cache.Keep("gone", "", later, later);
  EXPECT_EQ(cache.Find("gone", later), std::nullopt);
  cache.Keep("grown", "box", kStart, kStart);
  cache.Keep("grown", std::string(AnswerCache::kLargestEntry, 'x'), later, later);
  EXPECT_EQ(cache.Find("grown", later), std::nullopt);
}

TEST(AnswerCache, WhatWasNotAskedForGivesWayFirstTheOldestFirst) {
  AnswerCache cache(Limits(3));
  for (const char* key : {"a", "b", "c"}) cache.Keep(key, "box", kStart, kStart);
  cache.Find("a", kStart);
  cache.Keep("d", "box", kStart, kStart);
  EXPECT_EQ(cache.entries(), 3u);
  EXPECT_EQ(cache.evictions(), 1u);
  EXPECT_EQ(cache.Find("b", kStart), std::nullopt);
  for (const char* key : {"a", "c", "d"}) EXPECT_EQ(cache.Find(key, kStart), Found("box")) << key;
}

TEST(AnswerCache, WhenAllWereAskedForTheHandGoesRoundOnce) {
  AnswerCache cache(Limits(3));
  for (const char* key : {"a", "b", "c"}) cache.Keep(key, "box", kStart, kStart);
  for (const char* key : {"a", "b", "c"}) cache.Find(key, kStart);
  cache.Keep("d", "box", kStart, kStart);
  EXPECT_EQ(cache.Find("a", kStart), std::nullopt);
  EXPECT_EQ(cache.Find("d", kStart), Found("box")) << "the newcomer was not the one";
  cache.Keep("e", "box", kStart, kStart);
  EXPECT_EQ(cache.Find("b", kStart), std::nullopt) << "the hand goes on where it stood";
  EXPECT_EQ(cache.Find("d", kStart), Found("box"));
}

TEST(AnswerCache, WhatIsOverItsTimeGivesWayEvenIfItWasAskedFor) {
  AnswerCache cache(Limits(2));
  cache.Keep("a", "", kStart, kStart);
  cache.Keep("b", "box", kStart, kStart);
  cache.Find("a", kStart);
  cache.Find("b", kStart);
  cache.Keep("c", "box", kStart + seconds(6), kStart + seconds(6));
  EXPECT_EQ(cache.Find("a", kStart + seconds(6)), std::nullopt);
  EXPECT_EQ(cache.Find("b", kStart + seconds(6)), Found("box"));
}

// Senders make up keys; what many ask for stays.
TEST(AnswerCache, AFloodOfKeysThatAreAskedOnceLeavesThePopularOnes) {
  AnswerCache cache(Limits(100));
  for (int i = 0; i < 50; ++i) cache.Keep("popular" + std::to_string(i), "box", kStart, kStart);
  for (int i = 0; i < 10000; ++i) {
    cache.Keep("flood" + std::to_string(i), "", kStart, kStart);
    const std::string popular = "popular" + std::to_string(i % 50);
    ASSERT_EQ(cache.Find(popular, kStart), Found("box")) << i;
    ASSERT_LE(cache.entries(), 100u);
  }
}

TEST(AnswerCache, LargeAnswersTakeTheRoomOfSeveralAndTheLargestAreNotKept) {
  AnswerCache cache(Limits(16));
  const std::string large(2000, 'x');
  for (int i = 0; i < 100; ++i) {
    cache.Keep("key" + std::to_string(i), large, kStart, kStart);
    ASSERT_LE(cache.bytes(), 16 * AnswerCache::kBytesPerEntry);
  }
  EXPECT_EQ(cache.entries(), 3u);
  EXPECT_EQ(cache.evictions(), 97u);
  cache.Keep("k", std::string(AnswerCache::kLargestEntry - 1, 'x'), kStart, kStart);
  EXPECT_NE(cache.Find("k", kStart), std::nullopt);
  cache.Keep("k2", std::string(AnswerCache::kLargestEntry - 1, 'x'), kStart, kStart);
  EXPECT_EQ(cache.Find("k2", kStart), std::nullopt);
}

TEST(AnswerCache, OneEntryIsEnoughForAnyAnswerThatIsKept) {
  AnswerCache cache(Limits(1));
  cache.Keep("k", std::string(AnswerCache::kLargestEntry - 1, 'x'), kStart, kStart);
  EXPECT_EQ(cache.entries(), 1u);
  cache.Keep("k", "small", kStart, kStart);
  cache.Keep("k", std::string(AnswerCache::kLargestEntry - 1, 'y'), kStart, kStart);
  EXPECT_EQ(cache.entries(), 1u);
  cache.Keep("other", "box", kStart, kStart);
  EXPECT_EQ(cache.Find("k", kStart), std::nullopt);
  EXPECT_EQ(cache.Find("other", kStart), Found("box"));
}

TEST(AnswerCache, AnAnswerThatGrowsMakesOthersGiveWay) {
  AnswerCache cache(Limits(10));
  for (int i = 0; i < 10; ++i) cache.Keep("key" + std::to_string(i), "box", kStart, kStart);
  cache.Keep("key9", std::string(4000, 'x'), kStart, kStart);
  EXPECT_LE(cache.bytes(), 10 * AnswerCache::kBytesPerEntry);
  EXPECT_LT(cache.entries(), 10u);
}

TEST(AnswerCache, AHitAllocatesNothing) {
  harness::CountAllocationsOfThisThread();
  AnswerCache cache(Limits());
  const std::string key(100, 'k');
  const std::string value(1000, 'v');
  cache.Keep(key, value, kStart, kStart);
  const std::size_t before = allocations;
  for (int i = 0; i < 1000; ++i) {
    const Found found = cache.Find(key, kStart);
    if (!found || found->size() != 1000) abort();
  }
  EXPECT_EQ(allocations, before);
  cache.Keep("x" + key, value, kStart, kStart);
  EXPECT_GT(allocations, before) << "allocations are not counted";
}

// Whatever happens, what it gives is an answer to that very key, and the question is younger than
// its ttl.
TEST(AnswerCache, WhatItGivesWasAnsweredInTime) {
  std::minstd_rand random(7);
  const auto below = [&random](unsigned n) { return random() % n; };
  AnswerCache cache(Limits(40));
  // By key and value, which but for the empty one are all different: when it was asked for.
  std::map<std::pair<std::string, std::string>, pgsql::RealTime> asked;
  pgsql::RealTime now = kStart;
  int hits = 0;
  for (int step = 0; step < 200000; ++step) {
    now += milliseconds(below(20));
    const std::string key = "key" + std::to_string(below(10) < 7 ? below(20) : below(200));
    if (below(2) == 0) {
      const pgsql::RealTime sent = now - milliseconds(below(6000));
      std::string value(below(3) == 0 ? 0 : 1 + below(below(50) == 0 ? 5000 : 60), 'v');
      value += value.empty() ? "" : std::to_string(step);
      cache.Keep(key, value, sent, now);
      pgsql::RealTime& latest = asked[{key, value}];
      latest = std::max(latest, sent);
    } else if (const Found found = cache.Find(key, now)) {
      ++hits;
      const auto question = asked.find({key, std::string(*found)});
      ASSERT_NE(question, asked.end()) << key;
      ASSERT_LT(now - question->second, found->empty() ? seconds(5) : seconds(10));
    }
    ASSERT_LE(cache.entries(), 40u);
    ASSERT_LE(cache.bytes(), 40 * AnswerCache::kBytesPerEntry);
  }
  EXPECT_GT(hits, 10000);
  EXPECT_GT(cache.evictions(), 1000u);
}

}  // namespace
}  // namespace proxymux::proxy
