#include "pgsql/connection/cancel_request.h"

#include <gtest/gtest.h>

#include <chrono>

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using State = CancelRequest::State;

const Time kStart{std::chrono::hours(1)};

TEST(CancelRequest, WithoutOneAStatementThatComesBackCancelledIsAnothersDoing) {
  CancelRequest cancel;
  EXPECT_EQ(cancel.state(), State::kNone);
  EXPECT_FALSE(cancel.pending());
  EXPECT_FALSE(cancel.MayHaveHit(kStart));
  EXPECT_FALSE(cancel.HitsTheOne());
  EXPECT_FALSE(cancel.Overdue(kStart));
  cancel.OnCancelled();
  cancel.OnAllAnswered();
  EXPECT_EQ(cancel.state(), State::kNone);
  EXPECT_FALSE(cancel.MayHaveHit(kStart));
}

TEST(CancelRequest, AloneInFlightTheStatementThatComesBackIsTheOne) {
  CancelRequest cancel;
  cancel.OnSent(kStart, 1);
  EXPECT_TRUE(cancel.pending());
  EXPECT_TRUE(cancel.HitsTheOne());
  EXPECT_TRUE(cancel.MayHaveHit(kStart + std::chrono::hours(1))) << "however long it took";
  cancel.OnCancelled();
  EXPECT_EQ(cancel.state(), State::kHit);
  EXPECT_FALSE(cancel.pending());
  EXPECT_FALSE(cancel.HitsTheOne());
}

TEST(CancelRequest, AmongSeveralItMayHaveHitANeighbour) {
  CancelRequest cancel;
  cancel.OnSent(kStart, 2);
  EXPECT_TRUE(cancel.MayHaveHit(kStart));
  EXPECT_FALSE(cancel.HitsTheOne());
}

TEST(CancelRequest, AServerHasASecondToReact) {
  CancelRequest cancel;
  cancel.OnSent(kStart, 1);
  EXPECT_FALSE(cancel.Overdue(kStart + milliseconds(999)));
  EXPECT_TRUE(cancel.Overdue(kStart + milliseconds(1000)));
  cancel.OnCancelled();
  EXPECT_FALSE(cancel.Overdue(kStart + milliseconds(1000)));
}

TEST(CancelRequest, TheServersSecondSignalMayHitWhatComesNext) {
  CancelRequest cancel;
  cancel.OnSent(kStart, 1);
  cancel.OnCancelled();
  EXPECT_TRUE(cancel.MayHaveHit(kStart + milliseconds(999)));
  EXPECT_FALSE(cancel.MayHaveHit(kStart + milliseconds(1000)));
}

TEST(CancelRequest, OneThatCameTooLateMayStillHit) {
  CancelRequest cancel;
  cancel.OnSent(kStart, 1);
  cancel.OnAllAnswered();
  EXPECT_EQ(cancel.state(), State::kLate);
  EXPECT_FALSE(cancel.pending());
  EXPECT_FALSE(cancel.HitsTheOne());
  EXPECT_FALSE(cancel.Overdue(kStart + std::chrono::hours(1)));
  EXPECT_TRUE(cancel.MayHaveHit(kStart + std::chrono::hours(1)));
  cancel.OnCancelled();
  EXPECT_EQ(cancel.state(), State::kHit);
  cancel.OnAllAnswered();
  EXPECT_EQ(cancel.state(), State::kHit);
}

TEST(CancelRequest, ASecondRequestBeginsAnew) {
  CancelRequest cancel;
  cancel.OnSent(kStart, 1);
  cancel.OnCancelled();
  cancel.OnSent(kStart + milliseconds(500), 3);
  EXPECT_TRUE(cancel.pending());
  EXPECT_FALSE(cancel.HitsTheOne());
  EXPECT_FALSE(cancel.Overdue(kStart + milliseconds(1499)));
  EXPECT_TRUE(cancel.Overdue(kStart + milliseconds(1500)));
}

}  // namespace
}  // namespace proxymux::pgsql
