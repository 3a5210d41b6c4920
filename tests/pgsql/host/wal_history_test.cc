#include "pgsql/host/wal_history.h"

#include <gtest/gtest.h>

#include "tests/pgsql/host/replica_states.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Time kNow{std::chrono::hours(1)};

Time At(double second) {
  return kNow + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(second));
}

TEST(WalHistory, WhoHasAllThatIsKnownIsNotBehind) {
  WalHistory history;
  EXPECT_EQ(history.Behind(Standby(100, 100), At(0)), std::nullopt);
  history.Note(Primary(100), At(0));
  EXPECT_EQ(history.Behind(Standby(100, 100), At(5)), Duration::zero());
  EXPECT_EQ(history.Behind(Standby(130, 130), At(5)), Duration::zero());
}

TEST(WalHistory, WhoLacksSomethingIsAsOldAsWhatItHas) {
  WalHistory history;
  for (int second = 0; second < 10; ++second) history.Note(Primary(100 + second), At(second));
  EXPECT_EQ(history.Behind(Standby(109, 109), At(9.5)), Duration::zero());
  EXPECT_EQ(history.Behind(Standby(105, 109), At(9.5)), milliseconds(4500));
  EXPECT_EQ(history.Behind(Standby(100, 109), At(9.5)), milliseconds(9500));
  EXPECT_EQ(history.Behind(Standby(99, 109), At(9.5)), std::nullopt) << "before what is known";
}

// Nothing was written until just now: nobody can be further behind than that.
TEST(WalHistory, AnIdlePrimaryKeepsNobodyBehind) {
  WalHistory history;
  for (int second = 0; second < 100; ++second) history.Note(Primary(100), At(second));
  history.Note(Primary(200), At(100));
  EXPECT_EQ(history.Behind(Standby(100, 100), At(100.2)), milliseconds(1200));
}

TEST(WalHistory, StandbysThatReceiveTellWhereTheLogIs) {
  WalHistory history;
  history.Note(CutOff(Standby(50, 90)), At(0));
  EXPECT_FALSE(history.Fresh(Standby(50, 90), At(0))) << "nobody knows where the primary is";
  history.Note(Standby(50, 100), At(1));
  history.Note(Standby(60, 110), At(2));
  EXPECT_TRUE(history.Fresh(Standby(50, 90), At(4)));
  EXPECT_FALSE(history.Fresh(Standby(50, 90), At(6)));
  EXPECT_EQ(history.Behind(Standby(105, 110), At(3)), seconds(2));
}

TEST(WalHistory, APromotedServerBeginsAnotherLog) {
  WalHistory history;
  history.Note(Primary(1000), At(0));
  history.Note(Primary(900, 2), At(1));
  EXPECT_TRUE(history.Replaced(Primary(1100)));
  EXPECT_FALSE(history.Replaced(Primary(900, 2)));
  EXPECT_FALSE(history.Replaced(Standby(1, 1)));
  EXPECT_EQ(history.Behind(Standby(900, 900), At(1)), Duration::zero());
  history.Note(Primary(1100), At(2));  // nobody follows it any more
  EXPECT_EQ(history.Behind(Standby(900, 900), At(3)), Duration::zero());
}

TEST(WalHistory, AnotherClusterBeginsAnew) {
  WalHistory history;
  history.Note(Primary(1000), At(0));
  ReplicaState other = Primary(5);
  other.system = 8;
  EXPECT_FALSE(history.Fresh(other, At(0)));
  EXPECT_EQ(history.Behind(other, At(0)), std::nullopt);
  history.Note(other, At(1));
  EXPECT_EQ(history.Behind(other, At(1)), Duration::zero());
  EXPECT_FALSE(history.Replaced(Primary(1)));
  EXPECT_EQ(history.Behind(Standby(1, 1), At(1)), std::nullopt);
}

// However often it is told, so much of the past is kept, in steps that are not finer than needed.
TEST(WalHistory, ReachesBackForAWhile) {
  WalHistory history;
  for (int step = 0; step < 10000; ++step) {
    history.Note(Primary(1 + static_cast<std::uint64_t>(step)), kNow + step * milliseconds(10));
  }
  const Time end = kNow + 9999 * milliseconds(10);
  EXPECT_LE(*history.Behind(Standby(9000, 9000), end), milliseconds(10250));
  EXPECT_GE(*history.Behind(Standby(9000, 9000), end), milliseconds(10000));
  EXPECT_EQ(history.Behind(Standby(100, 100), end), std::nullopt);
}

}  // namespace
}  // namespace proxymux::pgsql
