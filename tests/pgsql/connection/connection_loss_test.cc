#include "pgsql/connection/connection_loss.h"

#include <gtest/gtest.h>

namespace proxymux::pgsql {
namespace {

using Loss = ConnectionLoss;

constexpr Loss kAll[] = {Loss::kPerhapsHost,   Loss::kSessionEnded, Loss::kSessionStuck,
                         Loss::kSessionSilent, Loss::kHostSilent,   Loss::kGivenUp,
                         Loss::kOutdated};

bool EndedHere(Loss loss) { return loss == Loss::kGivenUp || loss == Loss::kOutdated; }

TEST(ConnectionLosses, WhatEndedHereSpeaksAgainstNoOther) {
  for (const Loss loss : kAll) {
    const bool for_the_session = loss == Loss::kSessionEnded || loss == Loss::kSessionStuck;
    EXPECT_EQ(SpeaksAgainstHost(loss, /*nothing_unanswered=*/false), !EndedHere(loss));
    EXPECT_EQ(SpeaksAgainstHost(loss, /*nothing_unanswered=*/true),
              !EndedHere(loss) && !for_the_session);
  }
}

TEST(ConnectionLosses, WhoEndsASessionHasAHostThatWorks) {
  for (const Loss loss : kAll) {
    const bool session = loss == Loss::kSessionEnded || loss == Loss::kSessionSilent;
    EXPECT_EQ(FailsHost(loss), !session && !EndedHere(loss));
  }
}

TEST(ConnectionLosses, TheOldestMayBeToBlameOrAllOfAConnectionThatNeverAnswered) {
  const Work oldest;
  const Work second;
  PoolConnection connection(1, 0, Time{}, nullptr);
  for (const Loss loss : {Loss::kPerhapsHost, Loss::kSessionEnded, Loss::kOutdated}) {
    connection.answered.reset();
    EXPECT_TRUE(MayBlame(loss, oldest, oldest, connection));
    EXPECT_TRUE(MayBlame(loss, second, oldest, connection));
    connection.answered = Time{};
    EXPECT_TRUE(MayBlame(loss, oldest, oldest, connection));
    EXPECT_FALSE(MayBlame(loss, second, oldest, connection));
  }
}

// Their host was silent, or what was to blame has been told.
TEST(ConnectionLosses, OrNobodyIs) {
  const Work oldest;
  PoolConnection connection(1, 0, Time{}, nullptr);
  for (const Loss loss : {Loss::kHostSilent, Loss::kSessionSilent, Loss::kGivenUp}) {
    EXPECT_FALSE(MayBlame(loss, oldest, oldest, connection));
  }
  EXPECT_TRUE(MayBlame(Loss::kSessionStuck, oldest, oldest, connection));
  connection.answered = Time{};
  EXPECT_FALSE(MayBlame(Loss::kSessionStuck, oldest, oldest, connection));
}

}  // namespace
}  // namespace proxymux::pgsql
