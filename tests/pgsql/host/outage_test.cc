#include "pgsql/host/outage.h"

#include <gtest/gtest.h>

#include <chrono>

namespace proxymux::pgsql {
namespace {

using Hosts = Outage::Hosts;
using State = Outage::State;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Time kBegin{std::chrono::hours(1)};
constexpr Duration kWindow = seconds(5);

class OutageTest : public ::testing::Test {
 protected:
  // What it is at `after` the beginning, when the hosts are so.
  State At(Duration after, Hosts hosts, Duration window = kWindow) {
    const State before = outage_.state();
    const bool changed = outage_.Look(kBegin + after, hosts, window);
    EXPECT_EQ(changed, outage_.state() != before);
    return outage_.state();
  }

  Outage outage_;
};

TEST_F(OutageTest, HostsInUseOrNotTriedYetAreNone) {
  EXPECT_EQ(At(seconds(0), Hosts::kTried), State::kNone);
  EXPECT_EQ(At(seconds(1), Hosts::kInUse), State::kNone);
  EXPECT_FALSE(outage_.over().has_value());
}

TEST_F(OutageTest, LookupsWaitForTheWindowAndNotLonger) {
  EXPECT_EQ(At(seconds(0), Hosts::kUnreachable), State::kWaiting);
  EXPECT_EQ(outage_.WaitLeft(kBegin + seconds(2), kWindow), seconds(3));
  EXPECT_EQ(At(kWindow - milliseconds(1), Hosts::kUnreachable), State::kWaiting);
  EXPECT_EQ(At(kWindow, Hosts::kUnreachable), State::kGivenUp);
  EXPECT_EQ(outage_.WaitLeft(kBegin + kWindow, kWindow), Duration::zero());
  EXPECT_EQ(At(seconds(60), Hosts::kUnreachable), State::kGivenUp);
  EXPECT_EQ(outage_.begun(), kBegin);
}

TEST_F(OutageTest, WithoutAWindowNobodyWaits) {
  EXPECT_EQ(At(seconds(0), Hosts::kUnreachable, Duration::zero()), State::kGivenUp);
  EXPECT_EQ(At(seconds(1), Hosts::kInUse, Duration::zero()), State::kNone);
  EXPECT_EQ(At(seconds(1), Hosts::kUnreachable, Duration::zero()), State::kGivenUp);
}

TEST_F(OutageTest, AHostInUseEndsIt) {
  At(seconds(0), Hosts::kUnreachable);
  EXPECT_EQ(At(seconds(2), Hosts::kInUse), State::kNone);
  EXPECT_EQ(outage_.over(), kBegin + seconds(2));
}

// A connection that can be made is no answer yet.
TEST_F(OutageTest, ATrialDoesNotEndItNorBeginsOne) {
  At(seconds(0), Hosts::kUnreachable);
  EXPECT_EQ(At(seconds(2), Hosts::kTried), State::kWaiting);
  EXPECT_EQ(At(kWindow, Hosts::kTried), State::kGivenUp);
  EXPECT_EQ(At(seconds(7), Hosts::kTried), State::kGivenUp);
  EXPECT_FALSE(outage_.over().has_value());
}

TEST_F(OutageTest, WhatCannotPassIsNotWaitedFor) {
  EXPECT_EQ(At(seconds(0), Hosts::kRefused), State::kGivenUp);
  // It is restarted with other settings: that passes, in what is left of the window.
  EXPECT_EQ(At(seconds(1), Hosts::kUnreachable), State::kWaiting);
  EXPECT_EQ(At(seconds(2), Hosts::kRefused), State::kGivenUp);
  EXPECT_EQ(At(kWindow, Hosts::kUnreachable), State::kGivenUp);
}

TEST_F(OutageTest, AHostThatWasBackForAMomentOpensNoNewWindow) {
  At(seconds(0), Hosts::kUnreachable);
  At(seconds(2), Hosts::kInUse);
  EXPECT_EQ(At(seconds(3), Hosts::kUnreachable), State::kWaiting);
  EXPECT_EQ(outage_.begun(), kBegin + seconds(3));
  EXPECT_EQ(outage_.WaitLeft(kBegin + seconds(3), kWindow), seconds(2));
  EXPECT_EQ(At(kWindow, Hosts::kUnreachable), State::kGivenUp);
  // Nor does it when the window is over.
  At(seconds(20), Hosts::kInUse);
  EXPECT_EQ(At(seconds(24), Hosts::kUnreachable), State::kGivenUp);
}

TEST_F(OutageTest, AHostThatServedForAsLongAsAWindowDoes) {
  At(seconds(0), Hosts::kUnreachable);
  At(seconds(2), Hosts::kInUse);
  EXPECT_EQ(At(seconds(2) + kWindow, Hosts::kUnreachable), State::kWaiting);
  EXPECT_EQ(outage_.WaitLeft(kBegin + seconds(2) + kWindow, kWindow), kWindow);
}

}  // namespace
}  // namespace proxymux::pgsql
