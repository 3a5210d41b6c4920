// When keys may be asked.
#include "proxy/compare/key_rate.h"

#include <gtest/gtest.h>

namespace proxymux::proxy {
namespace {

using std::chrono::milliseconds;

constexpr KeyRate::Time kBegin{std::chrono::hours(1)};

TEST(KeyRate, WhoHasAskedMuchWaitsForLong) {
  KeyRate rate(200);
  EXPECT_EQ(rate.Take(100, kBegin), kBegin);
  EXPECT_EQ(rate.Take(100, kBegin), kBegin + milliseconds(500));
  EXPECT_EQ(rate.Take(1, kBegin + milliseconds(600)), kBegin + milliseconds(1000));
  EXPECT_EQ(rate.Take(1, kBegin + milliseconds(1000)), kBegin + milliseconds(1005));
}

TEST(KeyRate, TimeWithoutKeysIsNotSaved) {
  KeyRate rate(10);
  rate.Take(1, kBegin);
  const auto later = kBegin + std::chrono::hours(1);
  EXPECT_EQ(rate.Take(10, later), later);
  EXPECT_EQ(rate.Take(10, later), later + milliseconds(1000));
}

}  // namespace
}  // namespace proxymux::proxy
