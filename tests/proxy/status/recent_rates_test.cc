// What was done in the last minute, five and fifteen. Time is the test's.
#include "proxy/status/recent_rates.h"

#include <gtest/gtest.h>

#include <string>

namespace proxymux::proxy {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class RecentRatesTest : public ::testing::Test {
 protected:
  RecentRatesTest() {
    TableStatus table;
    table.name = "pgsql:/a.cf";
    status.tables = {table};
    PoolStatus pool;
    pool.name = "db/mail";
    HostStatus host;
    host.name = "db";
    pool.hosts = {host};
    status.pools = {pool};
  }
  void Do(int lookups, int failures, microseconds took) {
    TableStatus& table = status.tables[0];
    table.found += static_cast<std::uint64_t>(lookups);
    table.retry += static_cast<std::uint64_t>(failures);
    for (int i = 0; i < lookups; ++i) table.latency.Record(took);
  }
  // Once a second.
  void Pass(seconds time, int lookups = 0, int failures = 0, microseconds took = milliseconds(1)) {
    for (seconds passed{0}; passed < time; ++passed) {
      now += seconds(1);
      Do(lookups, failures, took);
      if (rates.Due(now)) rates.Sample(now, status);
    }
  }
  Recent Of() {
    rates.FillIn(now, &status);
    return status.tables[0].recent;
  }

  ServiceStatus status;
  RecentRates rates;
  pgsql::RealTime now{hours(1)};
};

TEST_F(RecentRatesTest, AtTheStartNothingIsKnown) {
  EXPECT_EQ(Of()[0].span, milliseconds(0));
  rates.Sample(now, status);
  EXPECT_EQ(Of()[0].span, milliseconds(0));
  EXPECT_FALSE(rates.Due(now));
}

TEST_F(RecentRatesTest, AYoungProcessTellsWhatItHasSeen) {
  rates.Sample(now, status);
  Pass(seconds(20), 10, 1);
  for (const RecentRate& rate : Of()) {
    EXPECT_EQ(rate.span, seconds(20));
    EXPECT_DOUBLE_EQ(rate.done, 10);
    EXPECT_DOUBLE_EQ(rate.failed, 1);
    EXPECT_GE(rate.p99, milliseconds(1));
    EXPECT_LE(rate.p99, microseconds(1125));
  }
}

TEST_F(RecentRatesTest, EachWindowHasItsOwnRatesAndPercentiles) {
  rates.Sample(now, status);
  Pass(minutes(30), 100, 0, milliseconds(50));  // long ago
  Pass(minutes(12), 1, 0, milliseconds(1));
  Pass(minutes(4), 10, 0, milliseconds(4));
  Pass(minutes(1), 20, 5, milliseconds(16));
  const Recent recent = Of();
  EXPECT_LE(recent[0].span, minutes(1));
  EXPECT_GE(recent[0].span, seconds(50));
  EXPECT_NEAR(recent[0].done, 20, 0.5);
  EXPECT_NEAR(recent[0].failed, 5, 0.5);
  EXPECT_GE(recent[0].p50, milliseconds(16));
  EXPECT_LE(recent[1].span, minutes(5));
  EXPECT_GE(recent[1].span, minutes(4));
  EXPECT_NEAR(recent[1].done, 12, 1);
  EXPECT_LE(recent[1].p50, microseconds(4500));
  EXPECT_LE(recent[2].span, minutes(15));
  EXPECT_GE(recent[2].span, minutes(14));
  EXPECT_LT(recent[2].p99, milliseconds(50)) << "what was before is forgotten";
}

TEST_F(RecentRatesTest, WhatDidNothingHasNoPercentiles) {
  Pass(minutes(1), 10);
  Pass(minutes(3));
  const Recent recent = Of();
  EXPECT_EQ(recent[0].done, 0);
  EXPECT_EQ(recent[0].p99, microseconds(0));
  EXPECT_GT(recent[1].done, 0);
}

TEST_F(RecentRatesTest, OneThatIsNewCountsFromItsBeginningAndOneMadeAnewFromNothing) {
  Pass(minutes(2), 10);
  TableStatus table;
  table.name = "pgsql:/new.cf";
  table.found = 30;
  status.tables.push_back(table);
  Of();
  EXPECT_GT(status.tables[1].recent[0].done, 0);
  status.pools[0].hosts[0].ok = 1000;
  Pass(minutes(2));
  status.pools[0].hosts[0].ok = 5;  // the pool was ended and made again
  Of();
  EXPECT_EQ(status.pools[0].hosts[0].recent[0].done, 0);
  EXPECT_EQ(status.pools[0].hosts[0].recent[0].span, milliseconds(0));
}

TEST_F(RecentRatesTest, APausedMachineIsNoGapThatWouldBeTakenForARate) {
  rates.Sample(now, status);
  Pass(minutes(1), 10);
  now += hours(5);  // asleep
  EXPECT_EQ(Of()[0].span, milliseconds(0)) << "nothing is known of the last minute";
  Pass(seconds(30), 10);
  EXPECT_NEAR(Of()[0].done, 10, 0.5);
}

}  // namespace
}  // namespace proxymux::proxy
