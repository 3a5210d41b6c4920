// Addresses that did not answer lately, and what a connection makes of them.
#include "pgsql/connection/silent_addresses.h"

#include <gtest/gtest.h>

#include <chrono>

#include "tests/pgsql/libpq/pg_session.h"
#include "tests/pgsql/libpq/tcp_server.h"

namespace proxymux::pgsql {
namespace {

constexpr Time kNow{std::chrono::hours(1)};

TEST(SilentAddresses, AreRememberedForAWhile) {
  SilentAddresses silent;
  EXPECT_FALSE(silent.Has("a", kNow));
  silent.Add("a", kNow);
  EXPECT_TRUE(silent.Has("a", kNow + seconds(29)));
  EXPECT_FALSE(silent.Has("a", kNow + seconds(30)));
  EXPECT_FALSE(silent.Has("b", kNow));
}

TEST(SilentAddresses, UntilTheyAnswer) {
  SilentAddresses silent;
  silent.Add("a", kNow);
  silent.Remove("a");
  silent.Remove("b");
  EXPECT_FALSE(silent.Has("a", kNow));
}

// One that does not answer may be given up before its time is over.
TEST(SilentAddresses, AConnectionIsMadeToTheOthersFirst) {
  TcpServer silent;  // the kernel accepts, nobody speaks
  ConnectPlan plan = silent.Plan();
  plan.parameters = Local().parameters;
  plan.endpoints.push_back(Local().endpoints.front());
  SilentAddresses known;
  {
    Session given_up(plan, 1 << 20, seconds(60), config::Pooler::kAuto, &known);
    const Time end = Clock::now() + milliseconds(300);
    given_up.Until([end] { return Clock::now() > end; });
    EXPECT_FALSE(given_up.ready);
  }
  Session next(plan, 1 << 20, seconds(60), config::Pooler::kAuto, &known);
  ASSERT_TRUE(next.Settled());
  EXPECT_TRUE(next.ready) << next.failure.text;
  // It is tried all the same when nobody else answers.
  ConnectPlan alone = silent.Plan();
  Session only(alone, 1 << 20, milliseconds(300), config::Pooler::kAuto, &known);
  ASSERT_TRUE(only.Settled());
  EXPECT_NE(only.failure.text.find("timed out"), std::string::npos) << only.failure.text;
}

}  // namespace
}  // namespace proxymux::pgsql
