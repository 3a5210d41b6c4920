// Which slots are told to end when nobody uses them, or none of their kind is wanted any more.
#include "proxy/relay/stock_slots.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <vector>

namespace proxymux::proxy {
namespace {

using State = StockSlots::State;
using ::testing::ElementsAre;

class StockSlotsTest : public ::testing::Test {
 protected:
  static StockPolicy Processes(std::size_t count) {
    StockPolicy policy;
    policy.mode = StockMode::kSpawn;
    policy.processes = count;
    return policy;
  }
  void MakeReady(std::size_t slot) {
    slots_.Open(slot, now_);
    slots_.OnGreeting(slot, now_);
  }
  // One of each state that has a process: greeting, ready, parked, busy; the fifth is empty.
  void MakeOneOfEach() {
    slots_.Open(0, now_);
    for (const std::size_t slot : {1, 2, 3}) MakeReady(slot);
    slots_.OnClosed(2, now_);
    slots_.Give(3, 1, now_);
    ASSERT_THAT(States(), ElementsAre(State::kGreeting, State::kReady, State::kParked, State::kBusy,
                                      State::kEmpty));
  }
  std::vector<State> States() const {
    std::vector<State> states;
    for (std::size_t i = 0; i < slots_.size(); ++i) states.push_back(slots_.state(i));
    return states;
  }

  const StockSlots::Time now_{std::chrono::hours(1)};
  StockPolicy policy_ = Processes(5);
  std::vector<StockAction> actions_;
  StockLeases leases_;
  StockSlots slots_{&policy_, &leases_, &actions_};
};

TEST_F(StockSlotsTest, WhatNobodyUsesIsAskedToEndWhateverItHasGotTo) {
  MakeOneOfEach();
  slots_.EndUnused(now_);
  EXPECT_THAT(States(), ElementsAre(State::kEnding, State::kEnding, State::kEnding, State::kBusy,
                                    State::kEmpty));
}

TEST_F(StockSlotsTest, WhatIsOfAnOlderPolicyIsRetiredAndTheRestIsNot) {
  MakeOneOfEach();
  slots_.RetireUnused(now_);
  EXPECT_EQ(slots_.Count(State::kEnding), 0u);
  slots_.OnPolicy();
  MakeReady(4);
  slots_.RetireUnused(now_);
  EXPECT_THAT(States(), ElementsAre(State::kEnding, State::kEnding, State::kEnding, State::kBusy,
                                    State::kReady));
}

TEST_F(StockSlotsTest, WhatIsAboveTheLimitIsRetired) {
  policy_ = Processes(2);
  slots_.OnPolicy();
  for (const std::size_t slot : {1, 2}) MakeReady(slot);
  slots_.RetireUnused(now_);
  EXPECT_EQ(slots_.state(1), State::kReady);
  EXPECT_EQ(slots_.state(2), State::kEnding);
}

}  // namespace
}  // namespace proxymux::proxy
