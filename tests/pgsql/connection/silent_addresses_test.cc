#include "pgsql/connection/silent_addresses.h"

#include <gtest/gtest.h>

#include <chrono>

namespace proxymux::pgsql {
namespace {

using std::chrono::seconds;

constexpr Time kNow{std::chrono::hours(1)};

TEST(SilentAddresses, AreRememberedForAWhile) {
  SilentAddresses silent;
  EXPECT_FALSE(silent.Has("a", kNow));
  silent.Add("a", kNow);
  EXPECT_TRUE(silent.Has("a", kNow + seconds(29)));
  EXPECT_FALSE(silent.Has("a", kNow + seconds(30)));
  EXPECT_FALSE(silent.Has("b", kNow));
}

TEST(SilentAddresses, UntilTheyAnswer) {
  SilentAddresses silent;
  silent.Add("a", kNow);
  silent.Remove("a");
  silent.Remove("b");
  EXPECT_FALSE(silent.Has("a", kNow));
}

}  // namespace
}  // namespace proxymux::pgsql
