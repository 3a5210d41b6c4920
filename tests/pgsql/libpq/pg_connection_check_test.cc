// What a connection finds out about its session, from a real PostgreSQL.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "pgsql/libpq/pg_connection.h"
#include "pgsql/libpq/session_check.h"
#include "pgsql/table/statement_effects.h"
#include "tests/harness/tcp_gate.h"
#include "tests/pgsql/libpq/pg_session.h"

namespace proxymux::pgsql {
namespace {

using Strings = std::vector<std::string>;

TEST(Checks, ServerItselfIsNoPoolerOnceItsFirstBatchIsAnswered) {
  Session session(Local());
  ASSERT_TRUE(session.Settled());
  EXPECT_TRUE(session.connection->Pooled());
  session.Send(0, "SELECT 1");
  session.Send(1, "SELECT 2");
  ASSERT_TRUE(session.connection->Sync());
  EXPECT_FALSE(session.connection->AllAnswered());
  ASSERT_TRUE(session.Results(2)) << session.reason;
  EXPECT_EQ(session.results, (Strings{"1", "2"}));
  EXPECT_FALSE(session.connection->Pooled());
  EXPECT_EQ(session.no_pooler, 1);
}

TEST(Checks, CountedProcessesArePoolers) {
  harness::TcpGate gate(Cluster().port());
  gate.CountProcesses();
  Session session(PlanFor("127.0.0.1", std::to_string(gate.port()), "postgres"));
  ASSERT_TRUE(session.Settled());
  session.Send(0, "SELECT 1");
  ASSERT_TRUE(session.connection->Sync());
  ASSERT_TRUE(session.Results(1)) << session.reason;
  EXPECT_TRUE(session.connection->Pooled());
  EXPECT_EQ(session.no_pooler, 0);
}

TEST(Checks, WhatTheServerRefusesIsRunAgainByTheCallerAndTheCheckEnds) {
  Cluster().Sql("postgres", "CREATE DATABASE strict");
  Cluster().Sql("postgres", "CREATE ROLE stranger LOGIN PASSWORD 'secret'");
  Cluster().Sql("strict",
                "REVOKE SELECT ON pg_catalog.pg_db_role_setting FROM PUBLIC;"
                "REVOKE EXECUTE ON FUNCTION pg_catalog.pg_backend_pid() FROM PUBLIC");
  Session session(
      PlanFor("127.0.0.1", std::to_string(Cluster().port()), "stranger", "secret", "strict"));
  ASSERT_TRUE(session.Settled());
  for (const char* result : {"aborted", "aborted", "1", "1"}) {
    session.results.clear();
    session.Send(0, "SELECT 1");
    ASSERT_TRUE(session.connection->Sync());
    ASSERT_TRUE(session.Results(1)) << session.reason;
    EXPECT_EQ(session.results, Strings{result});
    ASSERT_TRUE(session.Until([&] { return session.connection->AllAnswered(); }));
  }
  EXPECT_TRUE(session.connection->Pooled());
}

// Compiling takes seconds, and there is a setting that makes every statement worth it.
TEST(Questions, AreNotCompiledAndTheStatementsBehindThemAreAsTheServerIsSet) {
  ConnectPlan plan = Local();
  plan.parameters.emplace_back("options", "-c enable_seqscan=off -c jit=on -c jit_above_cost=0");
  Session session(plan);
  ASSERT_TRUE(session.Settled());
  session.Send(0, "SELECT current_setting('jit'), 0");
  ASSERT_TRUE(session.connection->Sync());
  ASSERT_TRUE(
      session.connection->SendQuestion(&session.work[1], "SELECT current_setting('jit'), 1", {}));
  ASSERT_TRUE(session.connection->Sync());
  session.Send(2, "SELECT current_setting('jit'), 2");
  ASSERT_TRUE(session.connection->Sync());
  ASSERT_TRUE(session.Results(3)) << session.reason;
  EXPECT_EQ(session.results, (Strings{"on,0", "off,1", "on,2"}));
}

TEST(Questions, AreAskedAsTheyAreWhereTheServerDoesNotAllowTheSetting) {
  Cluster().Sql("postgres", "CREATE DATABASE hardened");
  Cluster().Sql("postgres", "CREATE ROLE guest LOGIN PASSWORD 'secret'");
  Cluster().Sql(
      "hardened",
      "REVOKE EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) FROM PUBLIC");
  Session session(
      PlanFor("127.0.0.1", std::to_string(Cluster().port()), "guest", "secret", "hardened"));
  ASSERT_TRUE(session.Settled());
  for (const char* result : {"aborted", "1", "1"}) {
    session.results.clear();
    ASSERT_TRUE(session.connection->SendQuestion(&session.work[0], "SELECT 1", {}));
    ASSERT_TRUE(session.connection->Sync());
    ASSERT_TRUE(session.Results(1)) << session.reason;
    EXPECT_EQ(session.results, Strings{result});
  }
}

// Where a sequential scan costs more than all else the planner compiles what has one.
TEST(Questions, HaveNoSequentialScanWhereThoseAreOff) {
  ConnectPlan plan = Local();
  plan.parameters.emplace_back("options", "-c enable_seqscan=off");
  Session session(plan);
  ASSERT_TRUE(session.Settled());
  SessionCheck check(config::Pooler::kAuto);
  for (const std::string& sql : {StampSql(), std::string(check.sql())}) {
    session.results.clear();
    session.Send(0, "EXPLAIN (FORMAT json) " + sql);
    ASSERT_TRUE(session.connection->Sync());
    ASSERT_TRUE(session.Results(1)) << session.reason;
    EXPECT_EQ(session.results[0].find("Seq Scan"), std::string::npos) << session.results[0];
    EXPECT_NE(session.results[0].find("Index"), std::string::npos) << session.results[0];
  }
}

// What reads may fail at the end as well.
TEST(Checks, SerializableTransactionsAreAnsweredAtTheirEnd) {
  Cluster().Sql(
      "postgres",
      "DROP ROLE IF EXISTS careful; CREATE ROLE careful LOGIN SUPERUSER PASSWORD 'secret';"
      "ALTER ROLE careful SET default_transaction_isolation = serializable;"
      "DROP TABLE IF EXISTS pair; CREATE TABLE pair (k int PRIMARY KEY);"
      "CREATE OR REPLACE FUNCTION settle() RETURNS trigger LANGUAGE plpgsql AS"
      " $$ BEGIN RAISE EXCEPTION 'late' USING ERRCODE = '40001'; END $$;"
      "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON pair DEFERRABLE"
      " INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION settle()");
  Session session(PlanFor("127.0.0.1", std::to_string(Cluster().port()), "careful", "secret"));
  ASSERT_TRUE(session.Settled());
  session.Send(0, "SELECT 0");
  session.Send(1, "INSERT INTO pair VALUES (1) RETURNING 'ok'");
  ASSERT_TRUE(session.connection->Sync());  // as if it only read
  session.Send(2, "SELECT count(*) FROM pair");
  ASSERT_TRUE(session.connection->Sync());
  ASSERT_TRUE(session.Results(3)) << session.reason;
  EXPECT_EQ(session.results, (Strings{"aborted", "error 40001", "0"}));
}

TEST(Checks, ASessionWhoseSettingsChangedIsOutdated) {
  Cluster().Sql("postgres", "DROP ROLE IF EXISTS mover; CREATE ROLE mover LOGIN PASSWORD 'secret'");
  Session session(PlanFor("127.0.0.1", std::to_string(Cluster().port()), "mover", "secret"));
  ASSERT_TRUE(session.Settled());
  const auto ask = [&] {
    session.results.clear();
    session.Send(0, "SELECT 1");
    EXPECT_TRUE(session.connection->Sync());
    return session.Results(1) && !session.lost;
  };
  ASSERT_TRUE(ask());
  Cluster().Sql("postgres", "ALTER ROLE mover SET search_path = elsewhere");
  const Time end = Clock::now() + seconds(20);
  while (session.outdated == 0 && Clock::now() < end) ASSERT_TRUE(ask());
  EXPECT_EQ(session.outdated, 1);
  ASSERT_TRUE(ask());
  EXPECT_EQ(session.outdated, 1);
}

// It has no batch that a check could stand in front of.
TEST(Checks, AScriptWaitsForItsOwnAndDoesNotRunInAnOutdatedSession) {
  Cluster().Sql("postgres",
                "DROP ROLE IF EXISTS writer; CREATE ROLE writer LOGIN PASSWORD 'secret'");
  Session session(PlanFor("127.0.0.1", std::to_string(Cluster().port()), "writer", "secret"));
  ASSERT_TRUE(session.Settled());
  const auto ask = [&] {
    session.results.clear();
    EXPECT_TRUE(session.connection->SendScript(&session.work[0], "SELECT 1; SELECT 2"));
    return session.Results(1);
  };
  ASSERT_TRUE(ask());
  EXPECT_EQ(session.results, Strings{"2"});
  EXPECT_FALSE(session.connection->Pooled());
  Cluster().Sql("postgres", "ALTER ROLE writer SET search_path = elsewhere");
  const Time end = Clock::now() + seconds(20);
  while (ask()) ASSERT_LT(Clock::now(), end);
  EXPECT_EQ(session.outdated, 1);
  EXPECT_TRUE(session.lost);
  EXPECT_EQ(session.unanswered, std::vector<Work*>{&session.work[0]});
}

}  // namespace
}  // namespace proxymux::pgsql
