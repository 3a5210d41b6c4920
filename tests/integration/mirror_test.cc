// The promise to the database: few connections however many clients, and no lookup lost while one
// mirror lives.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/harness/load_clients.h"
#include "tests/harness/load_on.h"
#include "tests/harness/proxymap_client.h"
#include "tests/integration/mail_world.h"

namespace proxymux::integration {
namespace {

using harness::Eventually;
using harness::LoadClients;
using harness::LoadOptions;
using harness::LoadReport;
using harness::milliseconds;
using harness::PostfixInstance;
using harness::PostgresCluster;
using harness::ProxymapClient;
using harness::seconds;
using harness::Service;

class Mirrors : public testing::Test {
 protected:
  ~Mirrors() override {
    postfix_.reset();
    world_.Mend();
  }

  void Start(const std::string& yaml = "") {
    auto options = world_.Options(Service::kInPlace);
    options.yaml = yaml;
    postfix_ = std::make_unique<PostfixInstance>(world_.NewDirectory(), options);
    postfix_->Start();
  }

  LoadOptions Load(int clients) { return harness::LoadOn(*postfix_, clients); }

  // Load while `stop` does something to the first mirror, and on until it is back.
  void ExpectNoLoss(const std::function<void(PostgresCluster&)>& stop) {
    Start();
    LoadClients load(Load(100));
    ASSERT_TRUE(load.WaitForAnswers(5000));
    for (int i = 0; i < 2; ++i) {
      stop(world_.first());
      EXPECT_TRUE(load.WaitForAnswers(10000)) << postfix_->Log();
      world_.Mend();
      EXPECT_TRUE(load.WaitForAnswers(10000)) << postfix_->Log();
    }
    const LoadReport report = load.Finish();
    EXPECT_EQ(report.Failed(), 0u) << report.Text() << postfix_->Log();
    EXPECT_LE(world_.Connections(), kConnectionLimit);
  }

  MailWorld& world_ = MailWorld::Instance();
  std::unique_ptr<PostfixInstance> postfix_;
};

TEST_F(Mirrors, TwoHundredClientsOnFiveTablesTakeFourConnections) {
  Start();
  LoadClients load(Load(200));
  int most = 0;
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(load.WaitForAnswers(2000));
    most = std::max(most, world_.Connections());
  }
  const LoadReport report = load.Finish();
  EXPECT_EQ(report.Failed(), 0u) << report.Text();
  EXPECT_GE(most, 1);
  EXPECT_LE(most, kConnectionLimit);
}

TEST_F(Mirrors, NoLookupIsLostWhenOneIsShutDown) {
  ExpectNoLoss([](PostgresCluster& mirror) { mirror.Stop(); });
}

TEST_F(Mirrors, NoLookupIsLostWhenOneStopsAtOnce) {
  ExpectNoLoss([](PostgresCluster& mirror) { mirror.StopImmediate(); });
}

TEST_F(Mirrors, NoLookupIsLostWhenOneIsKilled) {
  ExpectNoLoss([](PostgresCluster& mirror) { mirror.Kill(); });
}

TEST_F(Mirrors, NoLookupIsLostWhenSessionsAreTerminated) {
  ExpectNoLoss([](PostgresCluster& mirror) {
    mirror.Sql("postgres",
               "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '" +
                   std::string(harness::kMailRole) + "'");
  });
}

TEST_F(Mirrors, NoLookupIsLostWhenOneFreezes) {
  Start("table: {query_timeout: 1s}\npool: {connect_timeout: 1s}\n");
  LoadClients load(Load(100));
  ASSERT_TRUE(load.WaitForAnswers(5000));
  world_.first().Freeze();
  EXPECT_TRUE(load.WaitForAnswers(20000, seconds(30))) << postfix_->Log();
  world_.first().Thaw();
  EXPECT_TRUE(load.WaitForAnswers(10000)) << postfix_->Log();
  const LoadReport report = load.Finish();
  EXPECT_EQ(report.Failed(), 0u) << report.Text() << postfix_->Log();
  EXPECT_LT(report.max_ms, 5000) << report.Text();
}

// As a machine that is paused for a snapshot: longer than any limit, which says nothing about the
// mirrors. The first time connections are being opened.
TEST_F(Mirrors, NoLookupIsLostWhenProxymuxItselfIsStopped) {
  Start("table: {query_timeout: 1s}\npool: {connect_timeout: 1s, queue_wait: 1s}\n");
  LoadClients load(Load(100));
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(load.WaitForAnswers(i == 0 ? 1 : 5000));
    const std::vector<pid_t> pids = postfix_->Pids("proxymux");
    ASSERT_EQ(pids.size(), 1u);
    kill(pids[0], SIGSTOP);
    std::this_thread::sleep_for(milliseconds(2500));
    kill(pids[0], SIGCONT);
  }
  ASSERT_TRUE(load.WaitForAnswers(5000));
  const LoadReport report = load.Finish();
  EXPECT_EQ(report.Failed(), 0u) << report.Text() << postfix_->Log();
  EXPECT_TRUE(postfix_->WaitForLog("this process was not run for 2."));
  for (const char* judged : {"out of use", "has not answered", "lost", "within"}) {
    EXPECT_TRUE(postfix_->LogLinesWith({"pool ", judged}).empty()) << postfix_->Log();
  }
}

TEST_F(Mirrors, MirrorsStoppedInTurnLoseNothing) {
  Start();
  LoadClients load(Load(100));
  ASSERT_TRUE(load.WaitForAnswers(5000));
  for (int i = 0; i < 2; ++i) {
    for (auto* mirror : {&world_.first(), &world_.second()}) {
      mirror->Stop();
      EXPECT_TRUE(load.WaitForAnswers(5000)) << postfix_->Log();
      mirror->Start();
      // The next one goes only when this one is used again.
      EXPECT_TRUE(
          Eventually([&] { return mirror->ConnectionCount(harness::kMailRole) > 0; }, seconds(30)))
          << postfix_->Log();
    }
  }
  const LoadReport report = load.Finish();
  EXPECT_EQ(report.Failed(), 0u) << report.Text();
}

TEST_F(Mirrors, WithoutAnyMirrorTheAnswerIsRetryAndThenTheServiceRecovers) {
  Start("pool: {outage_wait: 0s}\n");
  ProxymapClient client(postfix_->SocketPath());
  const std::string table = postfix_->Table("pgsql-aliases.cf");
  ASSERT_TRUE(client.Lookup(table, harness::AliasOf(1)).IsValue(harness::AddressOf(1)));
  world_.first().StopImmediate();
  world_.second().StopImmediate();
  const auto answer = client.Lookup(table, harness::AliasOf(2));
  EXPECT_TRUE(answer.Is(protocol::Status::kRetry)) << Describe(answer);
  world_.Mend();
  EXPECT_TRUE(Eventually([&] {
    return client.Lookup(table, harness::AliasOf(2)).IsValue(harness::AddressOf(2));
  })) << postfix_->Log();
}

// One odd key costs itself an answer, and nobody else anything.
TEST_F(Mirrors, QueryErrorsOfOneTableDisturbNoOther) {
  Start();
  LoadClients load(Load(50));
  ProxymapClient client(postfix_->SocketPath());
  const std::string ids = postfix_->Table("pgsql-id.cf");
  for (int i = 0; i < 200; ++i) {
    EXPECT_TRUE(client.Lookup(ids, "abc" + std::to_string(i)).Is(protocol::Status::kRetry));
    EXPECT_TRUE(client.Lookup(ids, "12").IsValue(harness::AddressOf(12)));
  }
  const LoadReport report = load.Finish();
  EXPECT_EQ(report.Failed(), 0u) << report.Text();
}

}  // namespace
}  // namespace proxymux::integration
