// How long connecting takes is learned from attempts that say something of it.
#include "pgsql/host/connect_time.h"

#include <gtest/gtest.h>

#include <chrono>

namespace proxymux::pgsql {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr bool kInDoubt = true;

TEST(ConnectTime, IsNotKnownAtFirst) { EXPECT_EQ(ConnectTime().usual(), std::nullopt); }

TEST(ConnectTime, TheFirstCountsWhateverSpokeAgainstTheHost) {
  ConnectTime time;
  time.OnConnected(seconds(3), kInDoubt);
  EXPECT_EQ(time.usual(), seconds(3));
}

TEST(ConnectTime, AQuickerOneCountsAtOnce) {
  ConnectTime time;
  time.OnConnected(seconds(3), !kInDoubt);
  time.OnConnected(milliseconds(5), kInDoubt);
  EXPECT_EQ(time.usual(), milliseconds(5));
}

TEST(ConnectTime, ALongerOneMakesItTwiceAsLongAtMost) {
  ConnectTime time;
  time.OnConnected(milliseconds(100), !kInDoubt);
  time.OnConnected(milliseconds(150), !kInDoubt);
  EXPECT_EQ(time.usual(), milliseconds(150));
  time.OnConnected(seconds(3), !kInDoubt);
  EXPECT_EQ(time.usual(), milliseconds(300));
  time.OnConnected(seconds(3), !kInDoubt);
  EXPECT_EQ(time.usual(), milliseconds(600));
}

TEST(ConnectTime, ALongerOneThatWasBegunInDoubtSaysNothing) {
  ConnectTime time;
  time.OnConnected(milliseconds(100), !kInDoubt);
  time.OnConnected(milliseconds(101), kInDoubt);
  EXPECT_EQ(time.usual(), milliseconds(100));
}

// Twice nothing would be nothing for long.
TEST(ConnectTime, AVeryShortOneGrowsToTwoMillisecondsAtOnce) {
  ConnectTime time;
  time.OnConnected(microseconds(20), !kInDoubt);
  time.OnConnected(seconds(1), !kInDoubt);
  EXPECT_EQ(time.usual(), milliseconds(2));
}

}  // namespace
}  // namespace proxymux::pgsql
