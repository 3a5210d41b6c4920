// Answers that are kept for the case that no server can be asked: how old they may be, and that
// they are never taken for fresh ones. Time is the test's.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

#include "proxy/tables/answer_cache.h"

namespace proxymux::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Found = std::optional<std::string_view>;

const pgsql::RealTime kStart{std::chrono::hours(1)};

// stale_if_error alone, an hour.
AnswerCache::Limits StaleOnly(std::size_t max_entries = 100) {
  return {{}, {}, max_entries, std::chrono::hours(1)};
}

// "box, 5000 ms", or "none".
std::string Stale(const AnswerCache& cache, std::string_view key, pgsql::RealTime now) {
  const auto found = cache.FindStale(key, now);
  if (!found) return "none";
  return std::string(found->value) + ", " +
         std::to_string(std::chrono::duration_cast<milliseconds>(found->age).count()) + " ms";
}

TEST(StaleAnswers, NoneIsKeptUnlessTheyAreAskedFor) {
  AnswerCache cache({{}, {}, 100, {}});
  cache.Keep("user", "box", kStart, kStart);
  cache.Keep("nobody", "", kStart, kStart);
  EXPECT_EQ(cache.entries(), 0u);
  EXPECT_EQ(cache.bytes(), 0u);
  AnswerCache fresh({seconds(10), seconds(5), 100, {}});
  fresh.Keep("user", "box", kStart, kStart);
  EXPECT_EQ(fresh.Find("user", kStart), Found("box"));
  EXPECT_EQ(Stale(fresh, "user", kStart), "none") << "nobody asked for stale ones";
  EXPECT_EQ(fresh.Find("user", kStart + seconds(10)), std::nullopt);
  EXPECT_EQ(fresh.bytes(), 0u);
}

TEST(StaleAnswers, AreGivenUntilTheirLimitSinceTheServerWasAskedAndNeverAsFresh) {
  AnswerCache cache(StaleOnly());
  // The server took 3 s to answer.
  cache.Keep("user", "box", kStart, kStart + seconds(3));
  cache.Keep("nobody", "", kStart, kStart + seconds(3));
  for (int second = 3; second < 3600; ++second) {
    const pgsql::RealTime now = kStart + seconds(second);
    ASSERT_EQ(cache.Find("user", now), std::nullopt) << second;
    ASSERT_EQ(Stale(cache, "user", now), "box, " + std::to_string(second) + "000 ms");
    ASSERT_EQ(Stale(cache, "nobody", now), ", " + std::to_string(second) + "000 ms");
  }
  EXPECT_EQ(Stale(cache, "user", kStart + milliseconds(3599999)), "box, 3599999 ms");
  const pgsql::RealTime end = kStart + seconds(3600);
  for (const char* key : {"user", "nobody", "other"}) EXPECT_EQ(Stale(cache, key, end), "none");
  EXPECT_EQ(cache.Find("user", end), std::nullopt);
  EXPECT_EQ(cache.Find("nobody", end), std::nullopt);
  EXPECT_EQ(cache.bytes(), 0u) << "what is of no more use goes when it is asked for";
}

TEST(StaleAnswers, OutliveTheirTtls) {
  AnswerCache cache({seconds(10), seconds(5), 100, seconds(60)});
  cache.Keep("user", "box", kStart, kStart);
  cache.Keep("nobody", "", kStart, kStart);
  EXPECT_EQ(cache.Find("user", kStart + seconds(9)), Found("box"));
  EXPECT_EQ(cache.Find("user", kStart + seconds(10)), std::nullopt);
  EXPECT_EQ(cache.Find("nobody", kStart + seconds(5)), std::nullopt);
  EXPECT_EQ(Stale(cache, "user", kStart + seconds(59)), "box, 59000 ms");
  EXPECT_EQ(Stale(cache, "nobody", kStart + seconds(59)), ", 59000 ms");
  EXPECT_EQ(Stale(cache, "user", kStart + seconds(60)), "none");
}

TEST(StaleAnswers, ATtlThatIsLongerMakesThemNoOlder) {
  AnswerCache cache({seconds(60), {}, 100, seconds(10)});
  cache.Keep("user", "box", kStart, kStart);
  cache.Keep("nobody", "", kStart, kStart);
  EXPECT_EQ(Stale(cache, "user", kStart + seconds(10)), "none");
  EXPECT_EQ(cache.Find("user", kStart + seconds(59)), Found("box"));
  EXPECT_EQ(cache.Find("nobody", kStart), std::nullopt);
  EXPECT_EQ(Stale(cache, "nobody", kStart + seconds(9)), ", 9000 ms");
}

TEST(StaleAnswers, AreReplacedByNewerOnesOnly) {
  AnswerCache cache(StaleOnly());
  cache.Keep("user", "new", kStart + seconds(2), kStart + seconds(3));
  cache.Keep("user", "old", kStart + seconds(1), kStart + seconds(4));
  EXPECT_EQ(Stale(cache, "user", kStart + seconds(5)), "new, 3000 ms");
  cache.Keep("user", "", kStart + seconds(5), kStart + seconds(5));
  EXPECT_EQ(Stale(cache, "user", kStart + seconds(6)), ", 1000 ms") << "it is gone by now";
  cache.Keep("user", std::string(AnswerCache::kLargestEntry, 'x'), kStart + seconds(7),
             kStart + seconds(7));
  EXPECT_EQ(Stale(cache, "user", kStart + seconds(8)), "none")
      << "an answer that is known to be wrong";
}

TEST(StaleAnswers, WhatIsLookedForStaysAlsoWhenItIsNeverGivenAsFresh) {
  AnswerCache cache(StaleOnly(100));
  const auto look = [&cache](const std::string& key, const std::string& value,
                             pgsql::RealTime now) {
    EXPECT_EQ(cache.Find(key, now), std::nullopt);
    cache.Keep(key, value, now, now);
  };
  for (int i = 0; i < 50; ++i) look("popular" + std::to_string(i), "box", kStart);
  for (int i = 0; i < 10000; ++i) {
    const pgsql::RealTime now = kStart + milliseconds(i);
    look("flood" + std::to_string(i), "", now);
    look("popular" + std::to_string(i % 50), "box", now);
    ASSERT_LE(cache.entries(), 100u);
  }
  for (int i = 0; i < 50; ++i) {
    EXPECT_NE(Stale(cache, "popular" + std::to_string(i), kStart + seconds(10)), "none") << i;
  }
}

TEST(StaleAnswers, WhatIsTooOldGivesWayEvenIfItWasLookedFor) {
  AnswerCache cache({{}, {}, 2, seconds(10)});
  cache.Keep("a", "box", kStart, kStart);
  cache.Keep("b", "box", kStart + seconds(5), kStart + seconds(5));
  cache.Find("a", kStart + seconds(6));
  cache.Find("b", kStart + seconds(6));
  cache.Keep("c", "box", kStart + seconds(11), kStart + seconds(11));
  EXPECT_EQ(Stale(cache, "b", kStart + seconds(11)), "box, 6000 ms");
  EXPECT_EQ(Stale(cache, "c", kStart + seconds(11)), "box, 0 ms");
  EXPECT_EQ(cache.evictions(), 1u);
}

TEST(StaleAnswers, RoomIsBoundedAsEver) {
  AnswerCache cache(StaleOnly(16));
  for (int i = 0; i < 1000; ++i) {
    cache.Keep("key" + std::to_string(i), std::string(i % 2000, 'x'), kStart, kStart);
    ASSERT_LE(cache.entries(), 16u);
    ASSERT_LE(cache.bytes(), 16 * AnswerCache::kBytesPerEntry);
  }
}

// With room for all: fresh is what is younger than its ttl, stale what is younger than the limit,
// and both are always the newest answer to that key.
TEST(StaleAnswers, AreExactlyTheNewestOnesThatAreYoungEnough) {
  struct Known {
    std::string value;
    pgsql::RealTime sent;
  };
  std::minstd_rand random(11);
  const auto below = [&random](unsigned n) { return static_cast<int>(random() % n); };
  AnswerCache cache({seconds(4), seconds(2), 10000, seconds(7)});
  std::map<std::string, Known> newest;
  pgsql::RealTime now = kStart;
  int fresh = 0;
  int stale = 0;
  int too_old = 0;
  for (int step = 0; step < 200000; ++step) {
    now += milliseconds(below(40));
    const std::string key = "key" + std::to_string(below(300));
    const auto known = newest.find(key);
    if (below(3) == 0) {
      const pgsql::RealTime sent = now - milliseconds(below(500));
      const std::string value = below(3) == 0 ? "" : "v" + std::to_string(step);
      cache.Keep(key, value, sent, now);
      if (known == newest.end() || known->second.sent <= sent) newest[key] = {value, sent};
    } else if (known == newest.end()) {
      ASSERT_EQ(cache.Find(key, now), std::nullopt);
      ASSERT_EQ(Stale(cache, key, now), "none");
    } else {
      const auto& [value, sent] = known->second;
      const pgsql::Duration age = now - sent;
      // Either first: looking for a fresh one must not take the stale one away.
      if (below(2) == 0) {
        const bool is_fresh = age < (value.empty() ? seconds(2) : seconds(4));
        ASSERT_EQ(cache.Find(key, now), is_fresh ? Found(value) : Found()) << step;
        fresh += is_fresh;
      }
      const auto found = cache.FindStale(key, now);
      ASSERT_EQ(found.has_value(), age < seconds(7)) << step;
      if (found) {
        ASSERT_EQ(found->value, value);
        ASSERT_EQ(found->age, age);
      }
      ++(found ? stale : too_old);
    }
  }
  EXPECT_GT(fresh, 10000);
  EXPECT_GT(stale, 20000);
  EXPECT_GT(too_old, 10000);
  EXPECT_EQ(cache.evictions(), 0u);
}

}  // namespace
}  // namespace proxymux::proxy
