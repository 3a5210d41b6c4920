// One connection against a real PostgreSQL.
#include "pgsql/libpq/pg_connection.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "pgsql/libpq/pg_cancel.h"
#include "pgsql/libpq/pg_handles.h"
#include "tests/pgsql/libpq/pg_session.h"

namespace proxymux::pgsql {
namespace {

using Strings = std::vector<std::string>;

// The server is at work on that query, in one session.
bool Runs(const std::string& query) {
  return Cluster().Sql(
             "postgres",
             "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = '" + query +
                 "'") == "1";
}

TEST(Batches, AreAnsweredInOrder) {
  Session session(Local());
  ASSERT_TRUE(session.Settled());
  for (std::size_t i = 0; i < 20; ++i) session.Send(i, "SELECT " + std::to_string(i));
  ASSERT_TRUE(session.connection->Sync());
  EXPECT_TRUE(session.connection->Sync());  // nothing is open: nothing happens
  ASSERT_TRUE(session.Results(20));
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(session.order[i], i);
    EXPECT_EQ(session.results[i], std::to_string(i));
  }
  EXPECT_TRUE(session.Until([&] { return session.connection->AllAnswered(); }));
}

TEST(Batches, AnErrorAbortsWhatStandsBehindItUpToTheSync) {
  Session session(Local());
  ASSERT_TRUE(session.Settled());
  session.Send(0, "SELECT 'before'");
  session.Send(1, "SELECT 1 / 0");
  session.Send(2, "SELECT 'behind'");
  session.Send(3, "SELECT 'behind'");
  ASSERT_TRUE(session.connection->Sync());
  session.Send(4, "SELECT 'next batch'");
  ASSERT_TRUE(session.connection->Sync());
  ASSERT_TRUE(session.Results(5));
  EXPECT_EQ(session.results,
            (Strings{"before", "error 22012", "aborted", "aborted", "next batch"}));
  EXPECT_EQ(session.message, "division by zero");
}

TEST(Batches, ParametersAndNulls) {
  Session session(Local());
  ASSERT_TRUE(session.Settled());
  const char* const values[] = {"o'brien", ""};
  ASSERT_TRUE(session.connection->SendStatement(&session.work[0], "SELECT $1::text, NULL, $2::text",
                                                {}, values));
  ASSERT_TRUE(session.connection->Sync());
  ASSERT_TRUE(session.Results(1));
  EXPECT_EQ(session.results, Strings{"o'brien,NULL,"});
}

TEST(Batches, ANoticeIsNoAnswer) {
  Session session(Local());
  ASSERT_TRUE(session.Settled());
  session.Send(0, "DO $$ BEGIN RAISE NOTICE 'hello'; RAISE WARNING 'hello'; END $$");
  session.Send(1, "SELECT 1");
  ASSERT_TRUE(session.connection->Sync());
  ASSERT_TRUE(session.Results(2));
  EXPECT_EQ(session.results, (Strings{"", "1"}));
}

TEST(Scripts, TheLastStatementCountsAndThePipelineGoesOn) {
  Session session(Local());
  ASSERT_TRUE(session.Settled());
  for (int round = 0; round < 50; ++round) {
    session.results.clear();
    session.Send(0, "SELECT 1");
    ASSERT_TRUE(session.connection->Sync());
    ASSERT_TRUE(session.Results(1));
    // At once, though the Sync may not be answered yet.
    ASSERT_TRUE(session.connection->SendScript(&session.work[1], "SELECT 2; SELECT 3"));
    ASSERT_TRUE(session.Results(2)) << session.reason;
    ASSERT_EQ(session.results, (Strings{"1", "3"}));
  }
  ASSERT_TRUE(session.connection->SendScript(&session.work[2], "SELECT 4; SELECT 1 / 0"));
  ASSERT_TRUE(session.Results(3));
  EXPECT_EQ(session.results[2], "error 22012");
  session.Send(3, "SELECT 5");
  ASSERT_TRUE(session.connection->Sync());
  ASSERT_TRUE(session.Results(4));
  EXPECT_EQ(session.results[3], "5");
}

TEST(Refused, CopyIsAnErrorOfThatStatementAndCostsTheConnection) {
  for (const char* sql : {"COPY (SELECT 1) TO STDOUT", "COPY pg_class FROM STDIN"}) {
    for (const bool script : {false, true}) {
      Session session(Local());
      ASSERT_TRUE(session.Settled());
      if (script) {
        ASSERT_TRUE(session.connection->SendScript(&session.work[0], sql));
      } else {
        session.Send(0, sql);
        ASSERT_TRUE(session.connection->Sync());
      }
      ASSERT_TRUE(session.Until([&] { return session.lost || !session.results.empty(); }));
      ASSERT_EQ(session.results.size(), 1U) << sql << session.reason;
      EXPECT_TRUE(session.results[0].starts_with("error ")) << session.results[0];
      EXPECT_TRUE(session.unanswered.empty());
    }
  }
}

TEST(Cancelling, EndsTheRunningStatementOnly) {
  Session session(Local());
  ASSERT_TRUE(session.Settled());
  session.Send(0, "SELECT pg_sleep(60)");
  ASSERT_TRUE(session.connection->Sync());
  ASSERT_TRUE(session.Until([] { return Runs("SELECT pg_sleep(60)"); }));
  session.connection->CancelRunning();
  ASSERT_TRUE(session.Results(1));
  EXPECT_EQ(session.results, Strings{"error 57014"});
  session.Send(1, "SELECT 1");
  ASSERT_TRUE(session.connection->Sync());
  ASSERT_TRUE(session.Results(2));
  EXPECT_EQ(session.results[1], "1");
}

TEST(Cancelling, WorksOverTlsToo) {
  ASSERT_TRUE(World::Get().tls) << "openssl(1) is not there: run scripts/setup";
  Session session(Local("UTF8", "require"));
  ASSERT_TRUE(session.Settled());
  session.Send(0, "SELECT pg_sleep(61)");
  ASSERT_TRUE(session.connection->Sync());
  ASSERT_TRUE(session.Until([] { return Runs("SELECT pg_sleep(61)"); }));
  session.connection->CancelRunning();
  ASSERT_TRUE(session.Results(1));
  EXPECT_EQ(session.results, Strings{"error 57014"});
}

// Who asks may be gone, with its connection, before the request has reached the server.
TEST(Cancelling, TheConnectionMayBeClosedMeanwhile) {
  Session session(Local());
  ASSERT_TRUE(session.Settled());
  session.Send(0, "SELECT pg_sleep(62)");
  ASSERT_TRUE(session.connection->Sync());
  ASSERT_TRUE(session.Until([] { return Runs("SELECT pg_sleep(62)"); }));
  session.connection->CancelRunning();
  session.connection->Close();
  EXPECT_TRUE(session.Until([] { return !Runs("SELECT pg_sleep(62)"); }));
}

TEST(Cancelling, OnlySoManyRequestsAreOnTheirWay) {
  PostgresCluster cluster(World::Get().directory / "d");
  cluster.Start();
  Session session(PlanFor("127.0.0.1", std::to_string(cluster.port()), "postgres"));
  ASSERT_TRUE(session.Settled());
  const PgConnectionHandle connection(
      PQconnectdb(("host=127.0.0.1 user=postgres port=" + std::to_string(cluster.port())).c_str()));
  ASSERT_EQ(PQstatus(connection.get()), CONNECTION_OK) << PQerrorMessage(connection.get());
  cluster.Freeze();
  CancelRequests& cancels = session.common.cancels;
  int sent = 0;
  while (sent <= CancelRequests::kMost && cancels.Send(connection.get())) ++sent;
  EXPECT_GT(sent, 0);
  EXPECT_LE(sent, CancelRequests::kMost);
  cluster.Thaw();
  bool another = false;
  session.Until([&] { return another = another || cancels.Send(connection.get()); });
  EXPECT_TRUE(another);
}

// A server of its own, to be broken.
TEST(Lost, WhenTheServerIsKilledOrStoppedWhatWasNotAnsweredComesBack) {
  PostgresCluster cluster(World::Get().directory / "b");
  for (const bool kill : {true, false}) {
    cluster.Start();
    Session idle(PlanFor("127.0.0.1", std::to_string(cluster.port()), "postgres"));
    Session session(PlanFor("127.0.0.1", std::to_string(cluster.port()), "postgres"));
    ASSERT_TRUE(idle.Settled());
    ASSERT_TRUE(session.Settled());
    session.Send(0, "SELECT repeat('x', 1000) FROM generate_series(1, 100000)");
    session.Send(1, "SELECT pg_sleep(60)");
    ASSERT_TRUE(session.connection->Sync());
    ASSERT_TRUE(session.Results(1));
    kill ? cluster.Kill() : cluster.Stop();
    ASSERT_TRUE(session.Until([&] { return session.lost; }));
    EXPECT_EQ(session.results.size() + session.unanswered.size(), 2U) << session.reason;
    ASSERT_TRUE(idle.Until([&] { return idle.lost; }));
    if (!kill) {
      EXPECT_NE(idle.reason.find("administrator"), std::string::npos) << idle.reason;
      EXPECT_EQ(idle.last_sqlstate, "57P01");
    }
  }
}

// Cancelling on a server that is frozen must not use up the threads that resolve names.
TEST(Lost, CancelRequestsToAFrozenServerHoldUpNobody) {
  PostgresCluster cluster(World::Get().directory / "c");
  cluster.Start();
  std::vector<std::unique_ptr<Session>> sessions;
  for (int i = 0; i < 6; ++i) {
    sessions.push_back(std::make_unique<Session>(
        PlanFor("127.0.0.1", std::to_string(cluster.port()), "postgres")));
    ASSERT_TRUE(sessions.back()->Settled());
    sessions.back()->Send(0, "SELECT pg_sleep(60)");
    ASSERT_TRUE(sessions.back()->connection->Sync());
  }
  cluster.Freeze();
  for (const auto& session : sessions) session->connection->CancelRunning();
  Session other(PlanFor("localhost", std::to_string(Cluster().port()), "postgres"));
  ASSERT_TRUE(other.Settled());
  EXPECT_TRUE(other.ready) << other.failure.text;
  cluster.Thaw();
}

}  // namespace
}  // namespace proxymux::pgsql
