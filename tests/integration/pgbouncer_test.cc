// Lookups through a real PgBouncer between the service and PostgreSQL: in which form they are sent
// in each pool_mode, and what becomes of what it refuses.
#include <gtest/gtest.h>

#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "tests/harness/admin_client.h"
#include "tests/harness/tcp_gate.h"
#include "tests/integration/behind_pgbouncer.h"

namespace proxymux::integration {
namespace {

using harness::Eventually;
using harness::LoadClients;
using harness::PgBouncer;
using protocol::Status;

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

// As with PostgreSQL itself, where the administrator knows that a server is kept; also when
// PgBouncer gives prepared statements names of its own. (These outlive a change of the schema:
// operations.md wants that off.)
TEST_F(BehindPgBouncer, SessionModeKeepsPreparedStatementsWhereNoPoolerIsSaidToBe) {
  for (const std::vector<std::string>& tracking : Trackings()) {
    SCOPED_TRACE(tracking.empty() ? "" : tracking[0]);
    StartBouncer("session", 20, tracking);
    StartService("pool: {pooler: no, connections: 1}\n");
    for (int user = 1; user <= 20; ++user) {
      EXPECT_TRUE(Look(user).IsValue(harness::AddressOf(user)));
    }
    LoadClients load(Load(100));
    ASSERT_TRUE(load.WaitForAnswers(20000)) << postfix_->Log();
    ExpectAllAnswered(&load);
    const std::string status = harness::HttpGet(postfix_->AdminSocket(), "/status.json").body;
    EXPECT_NE(status.find("\"plan\": \"prepared\""), std::string::npos) << status;
    EXPECT_TRUE(postfix_->Complaints().empty()) << postfix_->Log();
  }
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

TEST_F(BehindPgBouncer, WhetherItTracksPreparedStatementsMakesNoDifferenceInAnyMode) {
  const auto trackings = Trackings();
  for (const char* pool_mode : {"session", "transaction", "statement"}) {
    for (const std::vector<std::string>& tracking : trackings) {
      for (const char* statement_mode : {"auto", "prepared"}) {
        SCOPED_TRACE(std::string(pool_mode) + ", " + (tracking.empty() ? "" : tracking[0] + ", ") +
                     statement_mode);
        StartBouncer(pool_mode, 2, tracking);
        StartService("pool: {connections: 2}\ntable: {statement_mode: " +
                     std::string(statement_mode) + "}\n");
        LoadClients load(Load(100));
        ASSERT_TRUE(load.WaitForAnswers(10000)) << postfix_->Log();
        ExpectAllAnswered(&load);
        EXPECT_TRUE(postfix_->Complaints().empty()) << postfix_->Log();
      }
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
  EXPECT_TRUE(postfix_->WaitForLog("unsupported startup parameter")) << postfix_->Log();
  bouncer_->Stop();
  PgBouncer::Options options;
  options.pool_mode = "transaction";
  options.settings = {"ignore_startup_parameters = options"};
  bouncer_->Configure(options);
  bouncer_->Start();
  EXPECT_TRUE(Eventually([&] { return Look(1).IsValue(harness::AddressOf(1)); }))
      << postfix_->Log();
}

// All its own errors have one SQLSTATE, that of a server which it cannot reach too.
TEST_F(BehindPgBouncer, WhatItRefusesForItsUserOrDatabaseIsNotWaitedFor) {
  StartBouncer("transaction");
  const auto table = [&](const std::string& name, const std::string& user,
                         const std::string& password) {
    return harness::TableFile{
        name, "hosts = " + bouncer_->TcpHost() + "\nuser = " + user + "\npassword = " + password +
                  "\ndbname = " + harness::kMailDatabase + "\nquery = SELECT '%s'\n"};
  };
  StartService("", {table("password.cf", harness::kMailRole, "not this one"),
                    table("nothing.cf", harness::kMailRole, ""),
                    table("user.cf", "nobody", harness::kMailPassword),
                    table("good.cf", harness::kMailRole, harness::kMailPassword)});
  for (const char* file : {"password.cf", "nothing.cf", "user.cf"}) {
    EXPECT_TRUE(Look(file, "k").Is(Status::kRetry)) << file;
    EXPECT_TRUE(Look(file, "k").Is(Status::kRetry)) << file;
  }
  EXPECT_TRUE(Look("good.cf", "k").IsValue("k"));
  const std::string metrics = harness::HttpGet(postfix_->AdminSocket(), "/metrics").body;
  std::istringstream lines(metrics);
  int pools = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("proxymux_pool_outage_waits_total{")) continue;
    ++pools;
    EXPECT_TRUE(line.ends_with("} 0")) << line << postfix_->Log();
  }
  EXPECT_EQ(pools, 4) << metrics;
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

}  // namespace
}  // namespace proxymux::integration
