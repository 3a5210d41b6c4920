#include "pgsql/host/host_trust.h"

#include <gtest/gtest.h>

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Time kStart{seconds(100)};

TEST(HostTrust, NothingSpeaksAgainstAHostThatLostNone) {
  const HostTrust trust;
  EXPECT_FALSE(trust.unproven());
  EXPECT_FALSE(trust.PerhapsGone(std::nullopt, kStart));
}

TEST(HostTrust, ALossSpeaksAgainstEachOtherConnectionUntilThatAnswers) {
  HostTrust trust;
  trust.OnLost(kStart);
  const Time later = kStart + milliseconds(1);
  EXPECT_TRUE(trust.PerhapsGone(std::nullopt, later));
  EXPECT_TRUE(trust.PerhapsGone(kStart - milliseconds(1), later));
  EXPECT_FALSE(trust.PerhapsGone(kStart, later));
}

TEST(HostTrust, ButNotForEver) {
  HostTrust trust;
  trust.OnLost(kStart);
  EXPECT_TRUE(trust.PerhapsGone(std::nullopt, kStart + HostTrust::kWhile - milliseconds(1)));
  EXPECT_FALSE(trust.PerhapsGone(std::nullopt, kStart + HostTrust::kWhile));
}

TEST(HostTrust, OnlyAConnectionThatWasOpenedAfterwardsProvesNewOnes) {
  for (const bool was_lost : {true, false}) {
    HostTrust trust;
    if (was_lost) {
      trust.OnLost(kStart);
    } else {
      trust.OnNotMade(kStart);
    }
    EXPECT_TRUE(trust.unproven());
    EXPECT_EQ(trust.PerhapsGone(std::nullopt, kStart), was_lost) << "none was lost";
    trust.OnAnswered(kStart - milliseconds(1));
    EXPECT_TRUE(trust.unproven());
    trust.OnAnswered(kStart);
    EXPECT_FALSE(trust.unproven());
  }
}

TEST(HostTrust, EachQuestionIsWaitedForLongerUntilANewConnectionHasAnswered) {
  HostTrust trust;
  trust.OnLost(kStart);
  for (const int patience : {1, 2, 4, 8, 8, 8}) {
    EXPECT_EQ(trust.question_patience(), patience);
    trust.OnQuestionGivenUp();
    trust.OnLost(kStart + seconds(1));
    trust.OnAnswered(kStart);
  }
  trust.OnAnswered(kStart + seconds(1));
  EXPECT_EQ(trust.question_patience(), 1);
}

}  // namespace
}  // namespace proxymux::pgsql
