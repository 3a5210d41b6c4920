// What a connection makes of addresses that did not answer lately.
#include <gtest/gtest.h>

#include "tests/pgsql/libpq/pg_session.h"
#include "tests/pgsql/libpq/tcp_server.h"

namespace proxymux::pgsql {
namespace {

// One that does not answer may be given up before its time is over.
TEST(ConnectingPastASilentAddress, TheOthersComeFirst) {
  TcpServer silent;  // the kernel accepts, nobody speaks
  ConnectPlan plan = silent.Plan();
  plan.parameters = Local().parameters;
  plan.endpoints.push_back(Local().endpoints.front());
  proxy::UvEventLoop loop;
  PgCommon known(&loop);
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
