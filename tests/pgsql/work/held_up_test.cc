#include "pgsql/work/held_up.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/pgsql/host/some_hosts.h"

namespace proxymux::pgsql {
namespace {

constexpr Time kNow{std::chrono::hours(1)};

class HeldUpTest : public testing::Test {
 protected:
  HeldUpTest() {
    for (std::size_t host = 0; host < 2; ++host) hosts[host].health.OnConnected(kNow);
    for (Work* one : {&first, &second}) one->attempts.Reset(2);
  }

  HostSet hosts{SomeHosts(2)};
  Work first;
  Work second;
  HeldUp held_up;
};

TEST_F(HeldUpTest, NothingAtFirst) {
  EXPECT_FALSE(held_up.any());
  EXPECT_FALSE(held_up.host_needed().has_value());
}

TEST_F(HeldUpTest, WhatOnlyWaitsForItsTurnNeedsNoHost) {
  hosts[1].ready = 1;
  first.attempts.Count(0);
  held_up.Note(first, hosts);
  EXPECT_TRUE(held_up.any());
  EXPECT_FALSE(held_up.host_needed().has_value());
}

TEST_F(HeldUpTest, TheFirstHostThatIsNeededStays) {
  hosts[0].ready = 1;
  first.attempts.Exhaust(0);
  held_up.Note(first, hosts);
  EXPECT_EQ(held_up.host_needed(), 1u);

  hosts[0].ready = 0;
  second.attempts.Exhaust(1);
  held_up.Note(second, hosts);
  EXPECT_EQ(held_up.host_needed(), 1u);
}

TEST_F(HeldUpTest, OneThatNeedsNoneDoesNotHideOneThatDoes) {
  hosts[0].ready = 1;
  second.attempts.Count(1);
  held_up.Note(second, hosts);
  EXPECT_FALSE(held_up.host_needed().has_value());
  first.attempts.Exhaust(0);
  held_up.Note(first, hosts);
  EXPECT_EQ(held_up.host_needed(), 1u);
}

}  // namespace
}  // namespace proxymux::pgsql
