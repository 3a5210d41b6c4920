// What those who wait for one answer cost does not grow with how many they are. Not measured: with
// a search among all for each one who leaves, a million would take a million times a million steps,
// and no machine would come to the end of these tests.
#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <vector>

#include "tests/proxy/requests/coalescer_fixture.h"

namespace proxymux::proxy {
namespace {

constexpr std::size_t kMany = 1'000'000;

class CountingWaiter final : public Coalescer::Waiter {
 public:
  void OnAnswer(const pgsql::Answer& answer) override {
    if (answer.outcome == pgsql::Outcome::kFound) ++found;
  }
  int found = 0;
};

class CoalescerCostTest : public CoalescerTest {
 protected:
  CoalescerCostTest() {
    for (CountingWaiter& waiter : waiters_) Ask(&waiter);
    EXPECT_EQ(world_.coalescer.flights(), 1u);
  }
  Started Ask(CountingWaiter* waiter) {
    return world_.coalescer.Lookup(binding_, world_.pool, "user", waiter);
  }

  std::vector<CountingWaiter> waiters_ = std::vector<CountingWaiter>(kMany);
};

TEST_F(CoalescerCostTest, AllHangUp) {
  // Neither the first nor the last of those who still wait: from the middle to both ends.
  for (std::size_t i = 0; i < kMany / 2; ++i) {
    world_.coalescer.Cancel(&waiters_[kMany / 2 + i]);
    world_.coalescer.Cancel(&waiters_[kMany / 2 - 1 - i]);
  }
  EXPECT_EQ(world_.coalescer.flights(), 0u);
}

TEST_F(CoalescerCostTest, OneOfManyComesAndGoes) {
  for (std::size_t i = 0; i < kMany; ++i) {
    world_.coalescer.Cancel(&waiters_[kMany / 2]);
    Ask(&waiters_[kMany / 2]);
  }
  Settle();
  world_.connection().Answer("box");
  for (const CountingWaiter& waiter : waiters_) ASSERT_EQ(waiter.found, 1);
}

}  // namespace
}  // namespace proxymux::proxy
