#include "pgsql/host/replica_state.h"

#include <gtest/gtest.h>

#include <chrono>

namespace proxymux::pgsql {
namespace {

using std::chrono::microseconds;

TEST(ReplicaState, APrimaryWritesOnATimeline) {
  const auto state = ParseReplicaState("7713337349404725982 primary 22259344 0000001A");
  ASSERT_TRUE(state.has_value());
  EXPECT_FALSE(state->standby);
  EXPECT_EQ(state->system, 7713337349404725982U);
  EXPECT_EQ(state->position, 22259344U);
  EXPECT_EQ(state->timeline, 26U);
}

TEST(ReplicaState, AStandbyReplaysWhatItReceives) {
  const auto state = ParseReplicaState("7 standby 100 120 receiving 1500");
  ASSERT_TRUE(state.has_value());
  EXPECT_TRUE(state->standby);
  EXPECT_TRUE(state->receiving);
  EXPECT_EQ(state->position, 100U);
  EXPECT_EQ(state->received, 120U);
  EXPECT_EQ(state->age, microseconds(1500));
  EXPECT_FALSE(ParseReplicaState("7 standby 100 120 apart 1500")->receiving);
}

TEST(ReplicaState, ClocksMayDifferAndNothingMayHaveBeenReplayed) {
  EXPECT_EQ(ParseReplicaState("7 standby 1 1 receiving -20")->age, microseconds(0));
  EXPECT_EQ(ParseReplicaState("7 standby 1 1 receiving never")->age, std::nullopt);
  EXPECT_GT(*ParseReplicaState("7 standby 1 1 receiving 9223372036854775807")->age,
            std::chrono::years(99));
}

TEST(ReplicaState, AnythingElseIsNoAnswer) {
  for (const char* text :
       {"", " ", "7", "7 primary", "7 primary 1", "7 primary 1 X", "7 primary 1 1 1",
        "x primary 1 1", "7 standby 1 1 receiving", "7 standby 1 1 asleep 5",
        "7 standby -1 1 receiving 5", "7 standby 1 1 receiving 5 6", "7 standby 1  receiving 5",
        "7 master 1 1", "7 standby 1 1 receiving 9223372036854775808",
        "18446744073709551616 primary 1 1", "7 primary 1 100000000"}) {
    EXPECT_FALSE(ParseReplicaState(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace proxymux::pgsql
