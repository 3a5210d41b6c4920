// When nobody is there any more, and when only for a moment.
#include "proxy/bench/bench_presence.h"

#include <gtest/gtest.h>

namespace proxymux::proxy {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

TEST(BenchPresence, NobodyForAMomentIsNoFault) {
  BenchPresence presence;
  presence.Came(false);
  presence.Came(true);
  EXPECT_EQ(presence.busy(), 1);
  EXPECT_EQ(presence.idle(), 1);
  EXPECT_EQ(presence.WhyNone(0, "an error of long ago"), "");
  presence.Went(false, kSecond);
  EXPECT_EQ(presence.busy(), 0);
  EXPECT_EQ(presence.WhyNone(kSecond + 1, ""), "");
  EXPECT_EQ(presence.WhyNone(kSecond + 1, "refused"), "refused");
  // An idle client that leaves later does not begin the time anew.
  presence.Went(true, 2 * kSecond);
  EXPECT_NE(presence.WhyNone(2 * kSecond, ""), "");
  presence.Came(false);
  EXPECT_EQ(presence.WhyNone(9 * kSecond, ""), "");
}

}  // namespace
}  // namespace proxymux::proxy
