// Large results from a real PostgreSQL: which ones a connection refuses, and what the others cost.
#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <thread>
#include <vector>

#include "pgsql/libpq/pg_connection.h"
#include "tests/harness/peak_memory.h"
#include "tests/pgsql/libpq/pg_session.h"

namespace proxymux::pgsql {
namespace {

using Strings = std::vector<std::string>;

TEST(Refused, AResultOverTheLimitIsAnErrorOfThatStatementAndCostsTheConnection) {
  Session session(Local(), 4 << 20);
  ASSERT_TRUE(session.Settled());
  session.Send(0, "SELECT repeat('x', 1000) FROM generate_series(1, 100000)");
  session.Send(1, "SELECT 1");
  ASSERT_TRUE(session.connection->Sync());
  ASSERT_TRUE(session.Until([&] { return session.lost; }));
  EXPECT_EQ(session.results, Strings{"error 54000"});
  EXPECT_EQ(session.unanswered, std::vector<Work*>{&session.work[1]});
}

TEST(Refused, AResultUnderTheLimitIsNotHoweverManyRowsItHas) {
  for (const char* host : {"127.0.0.1", "unix"}) {
    ConnectPlan plan = Local();
    if (std::string(host) == "unix") plan.endpoints[0].host = Cluster().socket_directory();
    Session session(plan, 5 << 20);
    ASSERT_TRUE(session.Settled());
    for (int i = 0; i < 3; ++i) {
      session.results.clear();
      session.Send(0, "SELECT repeat('x', 100) FROM generate_series(1, 40000)");
      ASSERT_TRUE(session.connection->Sync());
      // As when the loop is busy with others: everything has arrived when it comes to reading.
      std::this_thread::sleep_for(milliseconds(100));
      ASSERT_TRUE(session.Results(1)) << session.reason;
      EXPECT_EQ(session.results[0].size(), 40000U * 101 - 1);
    }
  }
}

// What proxymux.yaml(5) says of max_value. Rows of one byte, and one large row, take the most.
TEST(Refused, AResultTakesAtMostFourTimesTheLimitInMemory) {
  constexpr std::size_t kLimit = 16 << 20;
  for (const char* sql :
       {"SELECT 'x' FROM generate_series(1, 5000000)", "SELECT repeat('x', 12 << 20)"}) {
    Session session(Local(), kLimit);
    ASSERT_TRUE(session.Settled());
    harness::ForgetPeakMemory();
    const std::size_t before = harness::PeakMemory();
    session.Send(0, sql);
    ASSERT_TRUE(session.connection->Sync());
    ASSERT_TRUE(session.Until([&] { return session.lost || !session.results.empty(); }));
    EXPECT_LT(harness::PeakMemory(), before + 4 * kLimit) << sql;
  }
}

// libpq's buffer grows with the largest message and never shrinks.
TEST(Batches, OneLargeValueMakesAConnectionLargeAndManySmallOnesDoNot) {
  Session session(Local(), 64 << 20);
  ASSERT_TRUE(session.Settled());
  for (int i = 0; i < 100; ++i) {
    session.results.clear();
    session.Send(0, "SELECT repeat('x', 100000)");
    ASSERT_TRUE(session.connection->Sync());
    ASSERT_TRUE(session.Results(1)) << session.reason;
  }
  EXPECT_FALSE(session.connection->Swollen());
  session.results.clear();
  session.Send(0, "SELECT repeat('x', 16 << 20)");
  ASSERT_TRUE(session.connection->Sync());
  ASSERT_TRUE(session.Results(1)) << session.reason;
  EXPECT_TRUE(session.connection->Swollen());
}

TEST(Tls, LargeResultsDoNotGetStuckInItsBuffer) {
  ASSERT_TRUE(World::Get().tls) << "openssl(1) is not there: run scripts/setup";
  Session session(Local("UTF8", "require"));
  ASSERT_TRUE(session.Settled());
  ASSERT_TRUE(session.ready) << session.failure.text;
  for (int size : {1, 8000, 8192, 16384, 20000, 50000, 300000}) {
    session.results.clear();
    for (std::size_t i = 0; i < 8; ++i) {
      session.Send(i, "SELECT repeat('x', " + std::to_string(size + static_cast<int>(i)) + ")");
    }
    ASSERT_TRUE(session.connection->Sync());
    ASSERT_TRUE(session.Results(8)) << size << session.reason;
    for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(session.results[i].size(), size + i);
  }
}

}  // namespace
}  // namespace proxymux::pgsql
