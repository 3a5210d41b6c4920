// A server that is far away: what a connection takes there, in round trips.
#include <gtest/gtest.h>

#include "tests/harness/far_address.h"
#include "tests/harness/network_room.h"
#include "tests/pgsql/libpq/pg_session.h"

namespace proxymux::pgsql {
namespace {

// Longer than a host is waited for before it is dialled again.
constexpr milliseconds kOneWay{600};

class FarServer {
 public:
  // The first call must come before there are threads.
  static FarServer& Get() {
    harness::EnterOwnNetwork();
    static FarServer server;
    return server;
  }
  ConnectPlan Plan() const {
    return PlanFor(far_.address(), std::to_string(cluster_->port()), "reader", "secret");
  }

 private:
  FarServer() : far_(kOneWay) {
    PostgresCluster::Options options;
    options.address = far_.listening_address();
    cluster_ = std::make_unique<PostgresCluster>(directory_ / "far", options);
    cluster_->Start();
    cluster_->Sql("postgres", "CREATE ROLE reader LOGIN PASSWORD 'secret'");
  }

  harness::TempDirectory directory_;
  harness::FarAddress far_;
  std::unique_ptr<PostgresCluster> cluster_;
};

TEST(FarAway, AHostWhoseFirstAnswerTakesLongIsConnectedTo) {
  const FarServer& server = FarServer::Get();
  const Time begin = Clock::now();
  Session session(server.Plan(), 1 << 20, seconds(18));
  ASSERT_TRUE(session.Settled());
  ASSERT_TRUE(session.ready) << session.failure.text;
  EXPECT_GT(Clock::now() - begin, 2 * kOneWay);  // it is far
  session.Send(0, "SELECT 1");
  ASSERT_TRUE(session.connection->Sync());
  ASSERT_TRUE(session.Results(1));
  EXPECT_EQ(session.results[0], "1");
}

}  // namespace
}  // namespace proxymux::pgsql
