// One connection against a real PostgreSQL.
#include "pgsql/libpq/pg_connection.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/harness/peak_memory.h"
#include "tests/pgsql/libpq/pg_session.h"

namespace proxymux::pgsql {
namespace {

using Strings = std::vector<std::string>;

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

TEST(Cancelling, EndsTheRunningStatementOnly) {
  Session session(Local());
  ASSERT_TRUE(session.Settled());
  session.Send(0, "SELECT pg_sleep(60)");
  ASSERT_TRUE(session.connection->Sync());
  ASSERT_TRUE(session.Until([&] {
    return Cluster().Sql("postgres",
                         "SELECT count(*) FROM pg_stat_activity WHERE state = 'active'"
                         " AND query = 'SELECT pg_sleep(60)'") == "1";
  }));
  session.connection->CancelRunning();
  ASSERT_TRUE(session.Results(1));
  EXPECT_EQ(session.results, Strings{"error 57014"});
  session.Send(1, "SELECT 1");
  ASSERT_TRUE(session.connection->Sync());
  ASSERT_TRUE(session.Results(2));
  EXPECT_EQ(session.results[1], "1");
}

TEST(Escaping, FollowsTheConnectionsEncoding) {
  Session utf8(Local("UTF8"));
  Session latin1(Local("LATIN1"));
  ASSERT_TRUE(utf8.Settled());
  ASSERT_TRUE(latin1.Settled());
  std::string out = "'";
  EXPECT_TRUE(utf8.connection->escaper().Escape("o'br\xc3\xafn\\", &out));
  EXPECT_EQ(out, "'o''br\xc3\xafn\\");
  for (const std::string bad : {"\xff", "\xc3", "x\xc3'"}) {
    out.clear();
    EXPECT_FALSE(utf8.connection->escaper().Escape(bad, &out)) << bad;
    out.clear();
    EXPECT_TRUE(latin1.connection->escaper().Escape(bad, &out)) << bad;
  }
  EXPECT_FALSE(utf8.connection->escaper().DoublesBackslashes());
  out.clear();
  EXPECT_TRUE(utf8.connection->escaper().Escape("", &out));
  EXPECT_EQ(out, "");
}

TEST(Escaping, FollowsStandardConformingStringsAsTheyChange) {
  Session session(Local());
  ASSERT_TRUE(session.Settled());
  for (const bool conforming : {false, true}) {
    session.results.clear();
    session.Send(0,
                 std::string("SET standard_conforming_strings = ") + (conforming ? "on" : "off"));
    ASSERT_TRUE(session.connection->Sync() && session.Results(1));
    EXPECT_EQ(session.connection->escaper().DoublesBackslashes(), !conforming);
    std::string out;
    EXPECT_TRUE(session.connection->escaper().Escape("\\", &out));
    EXPECT_EQ(out, conforming ? "\\" : "\\\\");
  }
}

TEST(Escaping, KnowsTheCharactersOfTheEncoding) {
  const auto lengths = [](const std::string& encoding, const std::string& text) {
    Session session(Local(encoding));
    EXPECT_TRUE(session.Settled() && session.ready) << encoding;
    std::vector<std::size_t> found;
    for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(found.back())) {
      found.push_back(session.connection->escaper().CharacterLength(rest));
    }
    return found;
  };
  using Lengths = std::vector<std::size_t>;
  EXPECT_EQ(lengths("UTF8", "a\xe8\xa1\xa8\\"), (Lengths{1, 3, 1}));
  EXPECT_EQ(lengths("LATIN1", "\x95\\"), (Lengths{1, 1}));
  EXPECT_EQ(lengths("SJIS", "\x95\\\\\xb1\\"), (Lengths{2, 1, 1, 1}));
  EXPECT_EQ(lengths("GB18030", "\x81\x30\x81\x30\x81\\\x81"), (Lengths{4, 2, 1}));
  EXPECT_EQ(lengths("BIG5", "\xa5\\\\"), (Lengths{2, 1}));
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
