#include "proxy/relay/stock_starts.h"

#include <gtest/gtest.h>

namespace proxymux::proxy {
namespace {

using std::chrono::milliseconds;

TEST(StockStarts, EachFailureInARowWaitsTwiceAsLongUpToALimit) {
  const StockPolicy policy;
  StockStarts starts(&policy);
  const StockStarts::Time now{std::chrono::hours(1)};
  EXPECT_TRUE(starts.MayStart(now));
  EXPECT_EQ(starts.last_failure(), "");
  for (const int wait : {100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000}) {
    starts.OnFailed("no greeting", now);
    EXPECT_FALSE(starts.MayStart(now + milliseconds(wait - 1)));
    EXPECT_TRUE(starts.MayStart(now + milliseconds(wait))) << wait;
  }
  starts.OnGreeting();
  EXPECT_TRUE(starts.MayStart(now));
  EXPECT_EQ(starts.last_failure(), "no greeting") << "it may still be worth telling";
  starts.OnFailed("again", now);
  EXPECT_TRUE(starts.MayStart(now + milliseconds(100))) << "counted anew";
}

TEST(StockStarts, TheThirdFailureTakesTheHopeUntilTheNextAttempt) {
  const StockPolicy policy;
  StockStarts starts(&policy);
  const StockStarts::Time now{std::chrono::hours(1)};
  starts.OnFailed("a", now);
  starts.OnFailed("b", now);
  EXPECT_FALSE(starts.Hopeless(now));
  starts.OnFailed("c", now);
  EXPECT_TRUE(starts.Hopeless(now));
  EXPECT_FALSE(starts.Hopeless(now + milliseconds(400)));
}

TEST(StockStarts, HoldingBackIsNoFailureAndNeverShortensAWait) {
  const StockPolicy policy;
  StockStarts starts(&policy);
  const StockStarts::Time now{std::chrono::hours(1)};
  starts.HoldBack(now);
  EXPECT_EQ(starts.blocked_until(), now + milliseconds(100));
  starts.OnTime(now + milliseconds(99));
  EXPECT_EQ(starts.blocked_until(), now + milliseconds(100));
  starts.OnTime(now + milliseconds(100));
  EXPECT_EQ(starts.blocked_until(), StockStarts::Time{});
  starts.OnFailed("a", now);
  starts.OnFailed("b", now);
  starts.HoldBack(now);
  EXPECT_EQ(starts.blocked_until(), now + milliseconds(200));
}

}  // namespace
}  // namespace proxymux::proxy
