#include "tests/drills/machine_watch.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>

#include <chrono>
#include <thread>

#include "tests/harness/deadline.h"

namespace proxymux::drills {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kTaken(150);

// As a host does that runs another machine on that processor.
void TakeProcessor(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(processor), &set);
  ASSERT_EQ(pthread_setaffinity_np(pthread_self(), sizeof(set), &set), 0);
  sched_param parameters{};
  parameters.sched_priority = sched_get_priority_min(SCHED_FIFO) + 1;
  ASSERT_EQ(pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters), 0);
  const Clock::time_point until = Clock::now() + kTaken;
  while (Clock::now() < until) {
  }
}

TEST(CoveredTime, CountsOnceWhatIntervalsShare) {
  CoveredTime covered;
  const auto at = [](int ms) { return Clock::time_point(milliseconds(1000 + ms)); };
  EXPECT_EQ(covered.length(), milliseconds(0));
  covered.Add(at(0), at(10));
  EXPECT_EQ(covered.length(), milliseconds(10));
  covered.Add(at(1), at(11));
  EXPECT_EQ(covered.length(), milliseconds(11));
  covered.Add(at(2), at(11));
  EXPECT_EQ(covered.length(), milliseconds(11));
  covered.Add(at(20), at(25));
  EXPECT_EQ(covered.length(), milliseconds(16));
}

TEST(MachineWatch, SeesThatOneProcessorIsTaken) {
  ASSERT_FALSE(Processors().empty());
  for (const int processor : Processors()) {
    const MachineWatch watch;
    std::thread(TakeProcessor, processor).join();
    EXPECT_TRUE(harness::Eventually([&] { return watch.away_ms() > 0; })) << processor;
    EXPECT_GE(watch.away_ms(), kTaken.count() - 50) << processor;
  }
}

}  // namespace
}  // namespace proxymux::drills
