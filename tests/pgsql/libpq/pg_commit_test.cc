// What fails only when its transaction ends, on a real PostgreSQL: whose error that is, and what
// becomes of the connection.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "pgsql/libpq/pg_connection.h"
#include "tests/pgsql/libpq/pg_session.h"

namespace proxymux::pgsql {
namespace {

using Strings = std::vector<std::string>;

// What a transaction did is checked again when it ends.
class Commits : public testing::Test {
 protected:
  Commits() {
    Cluster().Sql("postgres",
                  "DROP TABLE IF EXISTS child, parent, fragile CASCADE;"
                  "CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent VALUES (1);"
                  "CREATE TABLE child (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED);"
                  "CREATE TABLE fragile (id int);"
                  "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
                  " $$ BEGIN RAISE EXCEPTION 'never' USING ERRCODE = 'P0004'; END $$;"
                  "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON fragile DEFERRABLE"
                  " INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()");
  }
};

TEST_F(Commits, AnErrorAtTheSyncIsTheStatementsAndTheConnectionGoesOn) {
  Session session(Local());
  ASSERT_TRUE(session.Settled());
  session.Send(0, "INSERT INTO child VALUES (99) RETURNING 'ok'");
  ASSERT_TRUE(session.connection->Commit());
  session.Send(1, "INSERT INTO child VALUES (1) RETURNING 'ok'");
  ASSERT_TRUE(session.connection->Commit());
  session.Send(2, "INSERT INTO fragile VALUES (1) RETURNING 'ok'");
  ASSERT_TRUE(session.connection->Commit());
  session.Send(3, "SELECT count(*) FROM child");
  ASSERT_TRUE(session.connection->Sync());
  ASSERT_TRUE(session.Results(4)) << session.reason;
  EXPECT_EQ(session.results, (Strings{"error 23503", "ok", "error P0004", "1"}));
  EXPECT_EQ(session.order, (std::vector<int>{0, 1, 2, 3}));
  ASSERT_TRUE(session.Until([&] { return session.connection->AllAnswered(); }));
}

TEST_F(Commits, OfSeveralStatementsTheLastOneHasTheErrorAndPreparedStays) {
  Session session(Local());
  ASSERT_TRUE(session.Settled());
  ASSERT_TRUE(session.connection->SendPrepare(&session.work[0], "insert",
                                              "INSERT INTO child VALUES ($1) RETURNING 'ok'", {}));
  const char* const bad[] = {"99"};
  session.Send(1, "SELECT 1");
  ASSERT_TRUE(session.connection->SendPrepared(&session.work[2], "insert", bad));
  ASSERT_TRUE(session.connection->Commit());
  const char* const good[] = {"1"};
  ASSERT_TRUE(session.connection->SendPrepared(&session.work[3], "insert", good));
  ASSERT_TRUE(session.connection->Commit());
  ASSERT_TRUE(session.Results(4)) << session.reason;
  EXPECT_EQ(session.results, (Strings{"", "aborted", "error 23503", "ok"}));
}

TEST_F(Commits, AnErrorBeforeTheSyncUndoesWhatWasHeld) {
  Session session(Local());
  ASSERT_TRUE(session.Settled());
  session.Send(0, "INSERT INTO child VALUES (1) RETURNING 'ok'");
  session.Send(1, "SELECT 1 / 0");
  session.Send(2, "SELECT 2");
  ASSERT_TRUE(session.connection->Commit());
  ASSERT_TRUE(session.Results(3)) << session.reason;
  EXPECT_EQ(session.results, (Strings{"aborted", "error 22012", "aborted"}));
}

// What the caller takes for reading has been answered by then: it is told once only, and from then
// on the connection holds every answer.
TEST_F(Commits, AnErrorThatNobodyExpectedCostsNoConnection) {
  Session session(Local());
  ASSERT_TRUE(session.Settled());
  for (const char* result : {"ok", "error 23503"}) {
    session.results.clear();
    session.Send(0, "INSERT INTO child VALUES (99) RETURNING 'ok'");
    ASSERT_TRUE(session.connection->Sync());
    ASSERT_TRUE(session.Results(1)) << session.reason;
    EXPECT_EQ(session.results, Strings{result});
    ASSERT_TRUE(session.Until([&] { return session.connection->AllAnswered(); }));
  }
}

// The commit waits for a lock: the statement was answered and its Sync was not.
TEST_F(Commits, WhatIsLostBeforeTheSyncIsAnsweredComesBack) {
  Session other(Local());
  ASSERT_TRUE(other.Settled());
  ASSERT_TRUE(other.connection->SendScript(&other.work[0],
                                           "SELECT pg_advisory_lock(7); SELECT pg_backend_pid()"));
  ASSERT_TRUE(other.Results(1));
  Cluster().Sql("postgres",
                "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN PERFORM pg_advisory_lock(7); RETURN NULL; END $$");
  Session session(Local());
  ASSERT_TRUE(session.Settled());
  session.Send(0, "INSERT INTO fragile VALUES (1) RETURNING repeat('x', 100000)");
  ASSERT_TRUE(session.connection->Commit());
  const std::string waiting = "FROM pg_stat_activity WHERE wait_event = 'advisory'";
  ASSERT_TRUE(session.Until(
      [&] { return Cluster().Sql("postgres", "SELECT count(*) " + waiting) == "1"; }));
  EXPECT_FALSE(session.connection->AllAnswered());
  EXPECT_TRUE(session.results.empty());
  Cluster().Sql("postgres", "SELECT pg_terminate_backend(pid) " + waiting);
  ASSERT_TRUE(session.Until([&] { return session.lost; }));
  EXPECT_EQ(session.unanswered, std::vector<Work*>{&session.work[0]});
  EXPECT_TRUE(session.results.empty());
}

}  // namespace
}  // namespace proxymux::pgsql
