// Lookups through a real PgBouncer between the service and PostgreSQL: in which form they are sent
// in each pool_mode, and what is left of the promises when PgBouncer or what stands behind it goes
// away.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/harness/load_clients.h"
#include "tests/harness/load_on.h"
#include "tests/harness/pg_bouncer.h"
#include "tests/harness/proxymap_client.h"
#include "tests/harness/tcp_gate.h"
#include "tests/integration/mail_world.h"

namespace proxymux::integration {
namespace {

using harness::Eventually;
using harness::LoadClients;
using harness::LoadOptions;
using harness::LoadReport;
using harness::PgBouncer;
using harness::PostfixInstance;
using harness::ProxymapClient;
using harness::seconds;
using harness::Service;
using protocol::Status;

constexpr char kNoWait[] = "pool: {outage_wait: 0s}\n";

class BehindPgBouncer : public testing::Test {
 protected:
  ~BehindPgBouncer() override {
    postfix_.reset();
    bouncer_.reset();
    world_.Mend();
  }

  void StartBouncer(const std::string& pool_mode, int default_pool_size = 20,
                    const std::vector<std::string>& settings = {}) {
    PgBouncer::Options options;
    options.pool_mode = pool_mode;
    options.default_pool_size = default_pool_size;
    options.settings = settings;
    world_.Mend();
    bouncer_ = std::make_unique<PgBouncer>(world_.NewDirectory(), world_.first(), options);
    bouncer_->Start();
  }
  // The service, with PgBouncer as its only host or with the second mirror beside it.
  void StartService(const std::string& yaml = "", bool second_host = false) {
    StartService(yaml, harness::MailTables(bouncer_->TcpHost() +
                                           (second_host ? " " + world_.second().TcpHost() : "")));
  }
  void StartService(const std::string& yaml, const std::vector<harness::TableFile>& tables) {
    auto options = world_.Options(Service::kInPlace);
    options.tables = tables;
    options.yaml = yaml;
    postfix_ = std::make_unique<PostfixInstance>(world_.NewDirectory(), options);
    postfix_->Start();
  }

  LoadOptions Load(int clients) { return harness::LoadOn(*postfix_, clients); }
  void ExpectAllAnswered(LoadClients* load) {
    const LoadReport report = load->Finish();
    EXPECT_EQ(report.Failed(), 0u) << report.Text() << postfix_->Log();
  }

  // While `stop` and then `start` happen behind the service, which has a second host.
  void ExpectNoLoss(const std::function<void()>& stop, const std::function<void()>& start) {
    LoadClients load(Load(100));
    ASSERT_TRUE(load.WaitForAnswers(5000)) << postfix_->Log();
    for (int i = 0; i < 2; ++i) {
      stop();
      EXPECT_TRUE(load.WaitForAnswers(10000, seconds(60))) << postfix_->Log();
      start();
      EXPECT_TRUE(load.WaitForAnswers(10000, seconds(60))) << postfix_->Log();
      EXPECT_TRUE(Eventually([&] { return Sessions("%") > 0; }, seconds(60))) << postfix_->Log();
    }
    ExpectAllAnswered(&load);
  }

  harness::Answer Look(const std::string& table, const std::string& key) {
    ProxymapClient client(postfix_->SocketPath());
    return client.Lookup(postfix_->Table(table), key);
  }
  harness::Answer Look(int user) { return Look("pgsql-aliases.cf", harness::AliasOf(user)); }
  // Sessions of ours on the server behind PgBouncer whose latest statement looks like `pattern`.
  int Sessions(const std::string& pattern) {
    return std::atoi(
        world_.first()
            .Sql("postgres", "SELECT count(*) FROM pg_stat_activity WHERE usename = '" +
                                 std::string(harness::kMailRole) + "' AND query LIKE '" + pattern +
                                 "'")
            .c_str());
  }

  MailWorld& world_ = MailWorld::Instance();
  std::unique_ptr<PgBouncer> bouncer_;
  std::unique_ptr<PostfixInstance> postfix_;
};

// A statement that is prepared would be kept by its text, or be gone in the next session.
TEST_F(BehindPgBouncer, ValuesGoBesideTheTextInEveryModeWithoutAComplaint) {
  for (const char* pool_mode : {"session", "transaction"}) {
    SCOPED_TRACE(pool_mode);
    StartBouncer(pool_mode);
    StartService();
    LoadClients load(Load(100));
    ASSERT_TRUE(load.WaitForAnswers(20000)) << postfix_->Log();
    ExpectAllAnswered(&load);
    EXPECT_GT(Sessions("%$1%"), 0);
    EXPECT_EQ(Sessions("%example%"), 0);  // the pool's own questions have quotes as well
    EXPECT_TRUE(postfix_->Complaints().empty()) << postfix_->Log();
  }
}

// As with PostgreSQL itself, where the administrator knows that a server is kept.
TEST_F(BehindPgBouncer, SessionModeKeepsPreparedStatementsWhereNoPoolerIsSaidToBe) {
  StartBouncer("session");
  StartService("pool: {pooler: no, connections: 1}\n");
  for (int user = 1; user <= 20; ++user) EXPECT_TRUE(Look(user).IsValue(harness::AddressOf(user)));
  LoadClients load(Load(100));
  ASSERT_TRUE(load.WaitForAnswers(20000)) << postfix_->Log();
  ExpectAllAnswered(&load);
  EXPECT_TRUE(postfix_->Complaints().empty()) << postfix_->Log();
}

TEST_F(BehindPgBouncer, TransactionAndStatementModeServeTextAndParametersWithoutAComplaint) {
  for (const char* pool_mode : {"transaction", "statement"}) {
    for (const char* statement_mode : {"legacy", "parameterized"}) {
      SCOPED_TRACE(std::string(pool_mode) + " " + statement_mode);
      StartBouncer(pool_mode, 2);
      StartService("table: {statement_mode: " + std::string(statement_mode) + "}\n");
      LoadClients load(Load(100));
      ASSERT_TRUE(load.WaitForAnswers(10000)) << postfix_->Log();
      ExpectAllAnswered(&load);
      EXPECT_TRUE(postfix_->Complaints().empty()) << postfix_->Log();
    }
  }
}

// Two services behind one PgBouncer prepare the same statements in the same sessions.
TEST_F(BehindPgBouncer, ARestartedServiceFindsItsOldStatementsInTheSessions) {
  StartBouncer("transaction", 1);
  for (int i = 0; i < 3; ++i) {
    StartService();
    for (int user = 1; user <= 20; ++user) {
      const auto answer = Look(user);
      EXPECT_TRUE(answer.IsValue(harness::AddressOf(user))) << Describe(answer) << postfix_->Log();
    }
  }
}

TEST_F(BehindPgBouncer, TablesOfTwoEncodingsShareASession) {
  StartBouncer("transaction", 1);
  world_.first().Sql(harness::kMailDatabase,
                     "DROP TABLE IF EXISTS enc; CREATE TABLE enc (k text, v text); INSERT INTO enc "
                     "VALUES (U&'\\00fc', 'one'), (U&'\\00c3\\00bc', 'two');"
                     "GRANT SELECT ON enc TO mailreader");
  std::vector<harness::TableFile> tables;
  for (const char* encoding : {"UTF8", "LATIN1"}) {
    tables.push_back({std::string(encoding) + ".cf",
                      harness::TableText(bouncer_->TcpHost(), "SELECT v FROM enc WHERE k = '%s'",
                                         "encoding = " + std::string(encoding) + "\n")});
  }
  StartService("", tables);
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(Look("UTF8.cf", "\xc3\xbc").IsValue("one")) << postfix_->Log();
    EXPECT_TRUE(Look("LATIN1.cf", "\xc3\xbc").IsValue("two")) << postfix_->Log();
  }
}

TEST_F(BehindPgBouncer, AStartupParameterThatItRefusesKeepsTheHostDownUntilItIsIgnored) {
  StartBouncer("transaction");
  const std::string uri = "postgresql://mailreader:let%20me%20read@" + bouncer_->TcpHost() +
                          "/mail?options=-cstatement_timeout%3D5s";
  StartService(kNoWait, harness::MailTables(uri));
  EXPECT_TRUE(Look(1).Is(Status::kRetry));
  EXPECT_TRUE(postfix_->WaitForLog("unsupported startup parameter: options")) << postfix_->Log();
  bouncer_->Stop();
  PgBouncer::Options options;
  options.pool_mode = "transaction";
  options.settings = {"ignore_startup_parameters = options"};
  bouncer_->Configure(options);
  bouncer_->Start();
  EXPECT_TRUE(Eventually([&] { return Look(1).IsValue(harness::AddressOf(1)); }))
      << postfix_->Log();
}

// It then has parts of batches when a transaction ends and its server goes to somebody else.
TEST_F(BehindPgBouncer, NoAnswerIsAnotherLookupsWhenQuestionsComeInPieces) {
  StartBouncer("transaction", /*default_pool_size=*/3);
  harness::TcpGate gate(bouncer_->port());
  gate.SetPieces(700);
  gate.CountProcesses();  // as poolers do that are not seen by their numbers
  StartService("", harness::MailTables(gate.TcpHost()));
  {
    LoadClients load(Load(200));
    ASSERT_TRUE(load.WaitForAnswers(30000)) << postfix_->Log();
    ExpectAllAnswered(&load);
  }
  EXPECT_TRUE(postfix_->LogLinesWith({"out of step"}).empty()) << postfix_->Log();
  postfix_.reset();  // before the gate
}

TEST_F(BehindPgBouncer, NoLookupIsLostWhenItIsRestarted) {
  for (const char* pool_mode : {"session", "transaction"}) {
    SCOPED_TRACE(pool_mode);
    StartBouncer(pool_mode);
    StartService("", /*second_host=*/true);
    ExpectNoLoss([&] { bouncer_->Stop(); }, [&] { bouncer_->Start(); });
  }
}

TEST_F(BehindPgBouncer, NoLookupIsLostWhenItIsKilled) {
  for (const char* pool_mode : {"session", "transaction"}) {
    SCOPED_TRACE(pool_mode);
    StartBouncer(pool_mode);
    StartService("", /*second_host=*/true);
    ExpectNoLoss([&] { bouncer_->Kill(); }, [&] { bouncer_->Start(); });
  }
}

TEST_F(BehindPgBouncer, WhatItRefusesForTooManyClientsCostsNoLookup) {
  StartBouncer("transaction", 2, {"max_client_conn = 1"});
  StartService();
  LoadClients load(Load(100));
  ASSERT_TRUE(load.WaitForAnswers(10000)) << postfix_->Log();
  EXPECT_TRUE(postfix_->WaitForLog("no more connections allowed")) << postfix_->Log();
  ASSERT_TRUE(load.WaitForAnswers(10000)) << postfix_->Log();
  ExpectAllAnswered(&load);
}

TEST_F(BehindPgBouncer, IdleConnectionsThatItClosesAreMadeAgain) {
  StartBouncer("transaction", 2, {"server_idle_timeout = 1", "client_idle_timeout = 3"});
  StartService();
  EXPECT_TRUE(Look(1).IsValue(harness::AddressOf(1))) << postfix_->Log();
  ASSERT_TRUE(Eventually([&] { return Sessions("%") == 0; }));
  EXPECT_TRUE(Look(2).IsValue(harness::AddressOf(2))) << postfix_->Log();
  ASSERT_TRUE(postfix_->WaitForLog("client_idle_timeout")) << postfix_->Log();
  EXPECT_TRUE(Look(3).IsValue(harness::AddressOf(3))) << postfix_->Log();
  EXPECT_TRUE(postfix_->Complaints().empty()) << postfix_->Log();
}

// The settings are those that docs/operations.md recommends.
TEST_F(BehindPgBouncer, NoLookupIsLostWhileTheDatabaseBehindItIsStopped) {
  for (const char* pool_mode : {"session", "transaction"}) {
    SCOPED_TRACE(pool_mode);
    StartBouncer(pool_mode, 20, {"server_login_retry = 1", "query_wait_timeout = 2"});
    StartService("", /*second_host=*/true);
    ExpectNoLoss([&] { world_.first().Stop(); }, [&] { world_.first().Start(); });
  }
}

TEST_F(BehindPgBouncer, WithoutTheDatabaseTheAnswerIsRetryAndThenTheServiceRecovers) {
  StartBouncer("transaction", 20, {"server_login_retry = 1", "query_wait_timeout = 2"});
  StartService(kNoWait);
  EXPECT_TRUE(Look(1).IsValue(harness::AddressOf(1))) << postfix_->Log();
  world_.first().StopImmediate();
  for (int i = 0; i < 3; ++i) {
    const auto answer = Look(2);
    EXPECT_TRUE(answer.Is(Status::kRetry)) << Describe(answer) << postfix_->Log();
  }
  world_.Mend();
  EXPECT_TRUE(Eventually([&] { return Look(2).IsValue(harness::AddressOf(2)); }))
      << postfix_->Log();
}

}  // namespace
}  // namespace proxymux::integration
