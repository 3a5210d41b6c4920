#include "proxy/log/repeat_limiter.h"

#include <gtest/gtest.h>

#include <string>

namespace proxymux::proxy {
namespace {

using std::chrono::seconds;

class RepeatLimiterTest : public ::testing::Test {
 protected:
  RepeatLimiter::Clock::time_point At(int second) const { return start_ + seconds(second); }

  const RepeatLimiter::Clock::time_point start_{seconds(1000)};
};

TEST_F(RepeatLimiterTest, TheFirstMessagesOfAWindowAreLogged) {
  RepeatLimiter limiter({seconds(60), 3, 10});
  EXPECT_TRUE(limiter.Admit("a", At(0)).log);
  EXPECT_TRUE(limiter.Admit("a", At(1)).log);
  EXPECT_TRUE(limiter.Admit("a", At(2)).log);
  EXPECT_FALSE(limiter.Admit("a", At(3)).log);
  EXPECT_FALSE(limiter.Admit("a", At(59)).log);
  EXPECT_TRUE(limiter.Admit("b", At(59)).log);
  EXPECT_EQ(limiter.suppressed(), 2u);
}

TEST_F(RepeatLimiterTest, TheNextWindowOpensWithTheCount) {
  RepeatLimiter limiter({seconds(60), 1, 10});
  limiter.Admit("a", At(0));
  for (int i = 1; i <= 12; ++i) limiter.Admit("a", At(i));
  const auto admission = limiter.Admit("a", At(60));
  EXPECT_TRUE(admission.log);
  EXPECT_EQ(admission.Suffix(), " (12 more such messages suppressed in the last 60 s)");
  EXPECT_FALSE(limiter.Admit("a", At(61)).log);
  const auto later = limiter.Admit("a", At(200));
  EXPECT_EQ(later.suppressed, 1u);
  EXPECT_EQ(later.span, seconds(140));
  EXPECT_EQ(limiter.Admit("b", At(200)).Suffix(), "");
}

TEST_F(RepeatLimiterTest, SummariesTellOfKeysThatFellSilent) {
  RepeatLimiter limiter({seconds(60), 1, 10});
  limiter.Admit("loud", At(0));
  limiter.Admit("loud", At(1));
  limiter.Admit("quiet", At(0));
  EXPECT_TRUE(limiter.TakeSummaries(At(59)).empty());
  const auto summaries = limiter.TakeSummaries(At(75));
  ASSERT_EQ(summaries.size(), 1u);
  EXPECT_EQ(summaries[0].Text(), "1 more such messages suppressed in the last 75 s: loud");
  EXPECT_EQ(limiter.size(), 0u);
  EXPECT_TRUE(limiter.TakeSummaries(At(200)).empty());
  EXPECT_TRUE(limiter.Admit("loud", At(76)).log);
}

TEST_F(RepeatLimiterTest, MemoryIsBoundedAndTheLongestSilentKeyGoes) {
  RepeatLimiter limiter({seconds(60), 1, 3});
  limiter.Admit("a", At(0));
  limiter.Admit("a", At(0));
  limiter.Admit("b", At(1));
  limiter.Admit("c", At(2));
  limiter.Admit("b", At(3));
  limiter.Admit("d", At(4));  // "a" goes, with its count
  EXPECT_EQ(limiter.size(), 3u);
  EXPECT_EQ(limiter.forgotten(), 1u);
  EXPECT_FALSE(limiter.Admit("b", At(5)).log);
  EXPECT_TRUE(limiter.Admit("a", At(5)).log);
  for (int i = 0; i < 10000; ++i) limiter.Admit("key" + std::to_string(i), At(6));
  EXPECT_EQ(limiter.size(), 3u);
}

}  // namespace
}  // namespace proxymux::proxy
