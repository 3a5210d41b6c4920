#include "pgsql/connection/pool_connection.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <vector>

#include "tests/pgsql/work/nobodys_sink.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using Phase = PoolConnection::Phase;

const Time kStart{std::chrono::hours(1)};

constexpr std::array kPhases = {Phase::kConnecting, Phase::kShared,   Phase::kEmptying,
                                Phase::kLane,       Phase::kDraining, Phase::kOutdated,
                                Phase::kClosed};

class PoolConnectionTest : public ::testing::Test {
 protected:
  void SetUp() override { connection.SetPhase(Phase::kShared); }

  Work* Send(std::size_t index, Time when, bool in_lane = false) {
    work[index].sent = when;
    work[index].in_lane = in_lane;
    work[index].sink = &waiter;
    connection.OnSent(&work[index], 7);
    return &work[index];
  }
  void TearDown() override {
    while (connection.running() != nullptr) connection.OnBack(connection.running());
  }

  NobodysSink waiter;
  std::array<Work, 3> work;
  PoolConnection connection{1, 0, kStart, nullptr};
};

TEST(PoolConnectionPhases, EachMoveIsAllowedOrNot) {
  // From (rows) to (columns), in the order of kPhases.
  // clang-format off
  const std::array<std::vector<bool>, 7> allowed = {{
      //connecting shared emptying lane   draining outdated closed
      {false,      true,  false,   false, false,   false,   true },  // connecting
      {false,      false, true,    false, true,    true,    true },  // shared
      {false,      true,  false,   true,  true,    true,    true },  // emptying
      {false,      true,  false,   false, true,    true,    true },  // lane
      {false,      false, false,   false, false,   true,    true },  // draining
      {false,      false, false,   false, false,   false,   true },  // outdated
      {false,      false, false,   false, false,   false,   false},  // closed
  }};
  // clang-format on
  for (std::size_t from = 0; from < kPhases.size(); ++from) {
    for (std::size_t to = 0; to < kPhases.size(); ++to) {
      EXPECT_EQ(PoolConnection::MayMove(kPhases[from], kPhases[to]), allowed[from][to])
          << from << " to " << to;
    }
  }
}

TEST(PoolConnectionPhases, WhatEachOneMeans) {
  struct Row {
    std::vector<Phase> way;
    bool open, draining, lane, takes_work;
  };
  for (const Row& row : {
           Row{{}, false, false, false, false},
           Row{{Phase::kShared}, true, false, false, true},
           Row{{Phase::kShared, Phase::kEmptying}, true, false, true, true},
           Row{{Phase::kShared, Phase::kEmptying, Phase::kLane}, true, false, true, true},
           Row{{Phase::kShared, Phase::kDraining}, true, true, false, false},
           Row{{Phase::kShared, Phase::kOutdated}, true, true, false, false},
           Row{{Phase::kClosed}, false, false, false, false},
       }) {
    PoolConnection connection(1, 0, kStart, nullptr);
    for (const Phase phase : row.way) connection.SetPhase(phase);
    const int phase = static_cast<int>(connection.phase());
    EXPECT_EQ(connection.open(), row.open) << phase;
    EXPECT_EQ(connection.draining(), row.draining) << phase;
    EXPECT_EQ(connection.lane(), row.lane) << phase;
    EXPECT_EQ(connection.TakesWork(), row.takes_work) << phase;
  }
}

TEST(PoolConnectionPhases, OnlyAnOpenOneDrainsAndOutdatedIsTheLastWord) {
  PoolConnection connection(1, 0, kStart, nullptr);
  connection.Drain();
  connection.Outdate();
  EXPECT_EQ(connection.phase(), Phase::kConnecting);
  connection.SetPhase(Phase::kShared);
  connection.Drain();
  EXPECT_EQ(connection.phase(), Phase::kDraining);
  connection.Outdate();
  connection.Drain();
  connection.Outdate();
  EXPECT_EQ(connection.phase(), Phase::kOutdated);
  connection.SetPhase(Phase::kClosed);
  connection.Drain();
  connection.Outdate();
  EXPECT_EQ(connection.phase(), Phase::kClosed);
}

TEST_F(PoolConnectionTest, ALaneThatDrainsIsOneForAsLongAsItHasSlowStatements) {
  connection.SetPhase(Phase::kEmptying);
  connection.SetPhase(Phase::kLane);
  Work* slow = Send(0, kStart, /*in_lane=*/true);
  EXPECT_EQ(connection.slow_in_flight(), 1U);
  connection.Drain();
  EXPECT_TRUE(connection.lane());
  connection.OnBack(slow);
  EXPECT_EQ(connection.slow_in_flight(), 0U);
  EXPECT_FALSE(slow->in_lane);
  EXPECT_FALSE(connection.lane());
}

TEST_F(PoolConnectionTest, WhatIsInFlightIsKeptInOrder) {
  EXPECT_TRUE(connection.idle());
  EXPECT_EQ(connection.running(), nullptr);
  Send(0, kStart);
  Send(1, kStart + milliseconds(1));
  EXPECT_FALSE(connection.idle());
  EXPECT_EQ(connection.in_flight().size(), 2U);
  EXPECT_EQ(connection.running(), &work[0]);
  EXPECT_EQ(connection.last_sent, kStart + milliseconds(1));
  EXPECT_EQ(connection.sent_in, 7U);
  EXPECT_TRUE(WorkList::InFlight(&work[1]));
  connection.OnBack(&work[0]);
  EXPECT_FALSE(WorkList::InFlight(&work[0]));
  EXPECT_EQ(connection.running(), &work[1]);
}

TEST_F(PoolConnectionTest, ItIsSilentSinceTheOldestStatementOrTheLatestResult) {
  EXPECT_EQ(connection.SilentSince(), std::nullopt) << "it owes nothing";
  Send(0, kStart + milliseconds(5));
  EXPECT_EQ(connection.SilentSince(), kStart + milliseconds(5));
  Send(1, kStart + milliseconds(6));
  connection.OnBack(&work[0]);
  connection.last_result = kStart + milliseconds(9);
  EXPECT_EQ(connection.SilentSince(), kStart + milliseconds(9));
}

TEST_F(PoolConnectionTest, ItIsStalledUntilItsServerSaysSomething) {
  EXPECT_FALSE(connection.stalled());
  EXPECT_TRUE(connection.OnStalled());
  EXPECT_TRUE(connection.stalled());
  EXPECT_FALSE(connection.OnStalled()) << "that was known";
  connection.OnAnswered(kStart + milliseconds(3));
  EXPECT_EQ(connection.answered, kStart + milliseconds(3));
  EXPECT_FALSE(connection.stalled());
  EXPECT_TRUE(connection.OnStalled());
}

TEST_F(PoolConnectionTest, NothingIsSentBehindTheSimpleProtocol) {
  Send(0, kStart);
  EXPECT_FALSE(connection.RunsSimple());
  connection.OnBack(&work[0]);
  EXPECT_FALSE(connection.RunsSimple());
  work[1].wire.protocol = Protocol::kSimple;
  Send(1, kStart);
  EXPECT_TRUE(connection.RunsSimple());
}

TEST_F(PoolConnectionTest, ItTakesNothingWhileACancelRequestIsPending) {
  Send(0, kStart);
  connection.cancel.OnSent(kStart, 1);
  EXPECT_FALSE(connection.TakesWork());
  connection.cancel.OnCancelled();
  EXPECT_TRUE(connection.TakesWork());
}

TEST_F(PoolConnectionTest, OneThatOnlyReadsMayEnd) {
  EXPECT_TRUE(connection.ReadsOnly());
  Send(0, kStart);
  EXPECT_TRUE(connection.ReadsOnly());
  work[1].needs.may_write = true;
  Send(1, kStart);
  EXPECT_FALSE(connection.ReadsOnly()) << "it may write";
  connection.OnBack(&work[1]);
  work[2].needs.script = true;
  Send(2, kStart);
  EXPECT_FALSE(connection.ReadsOnly()) << "several statements";
  work[2].needs.script = false;
  work[2].kind = Work::Kind::kPrepare;
  work[2].needs.may_write = true;
  EXPECT_TRUE(connection.ReadsOnly()) << "what prepares a statement does not run it";
}

TEST_F(PoolConnectionTest, ItIsUselessWhenNobodyWaitsForItsLookups) {
  EXPECT_FALSE(connection.Useless()) << "there are none";
  Send(0, kStart)->sink = nullptr;
  EXPECT_TRUE(connection.Useless());
  Send(1, kStart);
  EXPECT_FALSE(connection.Useless()) << "somebody waits for the second one";
  work[1].sink = nullptr;
  EXPECT_TRUE(connection.Useless());
  work[1].needs.may_write = true;
  EXPECT_FALSE(connection.Useless()) << "what may write is to be done";
}

TEST_F(PoolConnectionTest, ASecondTryIsWaitedForByWhoeverWaitsForTheFirst) {
  Work* second = Send(0, kStart);
  second->sink = nullptr;
  work[1].sink = &waiter;
  second->twin.first = &work[1];
  EXPECT_FALSE(connection.Useless());
  work[1].sink = nullptr;
  EXPECT_TRUE(connection.Useless());
}

TEST_F(PoolConnectionTest, QuestionsAloneMakeNoConnectionUseless) {
  work[0].kind = Work::Kind::kClassify;
  Send(0, kStart)->sink = nullptr;
  EXPECT_FALSE(connection.Useless());
  Send(1, kStart)->sink = nullptr;
  EXPECT_TRUE(connection.Useless());
}

}  // namespace
}  // namespace proxymux::pgsql
