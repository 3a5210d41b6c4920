// What servers say to the queries of tables.
#include "tests/integration/check/asked_servers.h"

namespace proxymux::integration {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

using CheckQueries = CheckServers;

TEST_F(CheckQueries, AColumnThatIsNotThere) {
  Ask("SELECT address\n  FROM relay_recipient\n  WHERE adress = '%u@%d'");
  Expect(kErrors, AllOf(HasSubstr(InTable(7, "error") +
                                  "query: column \"adress\" does not exist (SQLSTATE 42703)"),
                        HasSubstr("relay_recipient.address")));
}

TEST_F(CheckQueries, ATableThatIsNotThere) {
  Ask("SELECT a\n  FROM nothing WHERE k = '%s'");
  Expect(kErrors, HasSubstr(InTable(6, "error") + "query: relation \"nothing\" does not exist"));
}

TEST_F(CheckQueries, ASyntaxError) {
  Ask("SELECT address FROM relay_recipient\n  WHERE address = '%s' ORDER LIMIT 1");
  Expect(kErrors, AllOf(HasSubstr(InTable(6, "error") + "query: syntax error at or near \"LIMIT\""),
                        HasSubstr("(SQLSTATE 42601)")));
}

TEST_F(CheckQueries, ATableThatTheRoleMayNotRead) {
  Sql("CREATE TABLE secret (k text PRIMARY KEY, v text)");
  Ask("SELECT v FROM secret WHERE k = '%s'");
  Expect(kErrors,
         AllOf(HasSubstr(InTable(5, "error") + "query: permission denied for table secret"),
               HasSubstr("GRANT SELECT")));
  Sql("DROP TABLE secret");
}

TEST_F(CheckQueries, ATableThatIsReadFromEndToEnd) {
  Sql("CREATE TABLE large (address varchar(99), v text);"
      "INSERT INTO large SELECT n, n FROM generate_series(1, 20000) n;"
      "GRANT SELECT ON large TO mailreader; ANALYZE large");
  Ask("SELECT v FROM large WHERE lower(address) = lower('%s')");
  Expect(kWarnings, AllOf(HasSubstr(InTable(5, "warning") + "query: each lookup reads all of "
                                                            "public.large, about 20000 rows"),
                          HasSubstr("CREATE INDEX ON public.large (lower((address)::text))")));
  Sql("CREATE INDEX ON large (lower((address)::text)); ANALYZE large");
  Expect(kNothingWrong, Not(HasSubstr("public.large")));
  Ask("SELECT v FROM large WHERE address = '%s'");
  Expect(kWarnings, HasSubstr("CREATE INDEX ON public.large (address)"));
  Sql("DROP TABLE large");
}

// The function is run by the planner, which is asked once the query was found right. What it says
// may be otherwise in a minute.
TEST_F(CheckQueries, WhatCannotBePlannedNow) {
  Sql("CREATE FUNCTION short_of_memory() RETURNS text IMMUTABLE LANGUAGE plpgsql AS "
      "$$ BEGIN RAISE 'no memory is left' USING ERRCODE = '53200'; END $$");
  Ask("SELECT v FROM (SELECT short_of_memory() AS v) AS s WHERE v = '%s'");
  Expect(kWarnings,
         HasSubstr(InTable(5, "warning") +
                   "query: it could not be looked at: no memory is left; run this again"));
  Sql("DROP FUNCTION short_of_memory()");
}

TEST_F(CheckQueries, WhatAQueryDoesToOthers) {
  Sql("CREATE FUNCTION at_work(text) RETURNS text LANGUAGE plpgsql AS "
      "$$ BEGIN SET work_mem = '8MB'; RETURN $1; END $$");
  Ask("SELECT at_work('%s')");
  Expect(kWarnings, HasSubstr(InTable(5, "warning") +
                              "query: it may change the session (function at_work(text))"));
  Sql("DROP FUNCTION at_work(text)");
  Ask("SELECT address || random() FROM relay_recipient WHERE address = '%s'");
  Expect(kWarnings, HasSubstr(InTable(5, "warning") + "query: it calls a volatile function"));
  Sql("CREATE TABLE guarded (k text PRIMARY KEY, v text);"
      "ALTER TABLE guarded ENABLE ROW LEVEL SECURITY; GRANT SELECT ON guarded TO mailreader");
  Ask("SELECT v FROM guarded WHERE k = '%s'");
  Expect(kNothingWrong,
         HasSubstr(InTable(5, "note") + "query: each lookup runs in a transaction of "
                                        "its own, because of row security of guarded"));
  Sql("DROP TABLE guarded");
}

// Values of the sample need not be such as the query's types want.
TEST_F(CheckQueries, TypesThatALiteralFitsAreNoMistake) {
  for (const char* query :
       {"SELECT address FROM mailbox WHERE id = '%s'",
        "SELECT 'x' WHERE inet '192.0.2.1' = inet '%s'", "SELECT 'x' WHERE E'%s' = 'y'",
        "SELECT upper('%s')", "SELECT coalesce(NULL, '%s')", "SELECT '%s'"}) {
    Ask(query);
    Expect(kNothingWrong, Not(HasSubstr(" error: ")));
  }
}

// The role cannot look up what is behind a view in a schema of somebody else.
TEST_F(CheckQueries, AViewOfWhatTheRoleMayNotRead) {
  Sql("CREATE SCHEMA inside; CREATE TABLE inside.large (address text, v text);"
      "INSERT INTO inside.large SELECT n, n FROM generate_series(1, 20000) n; ANALYZE inside.large;"
      "CREATE VIEW outside AS SELECT * FROM inside.large; GRANT SELECT ON outside TO mailreader");
  Ask("SELECT v FROM outside WHERE address = '%s'");
  postfix_.WriteConfig("pgsql-id.cf",
                       harness::TableText(Host(), "SELECT v FROM outside WHERE v = '%s'"));
  Expect(kWarnings, AllOf(HasSubstr("CREATE INDEX ON inside.large (address)"),
                          HasSubstr("CREATE INDEX ON inside.large (v)")));
  Sql("DROP VIEW outside; DROP SCHEMA inside CASCADE");
}

TEST_F(CheckQueries, ATableThatWasNeverAnalyzed) {
  Sql("CREATE TABLE fresh (address text, v text) WITH (autovacuum_enabled = off);"
      "INSERT INTO fresh SELECT n, repeat('x', 500) FROM generate_series(1, 9000) n;"
      "GRANT SELECT ON fresh TO mailreader");
  Ask("SELECT v FROM fresh WHERE address = '%s'");
  Expect(kWarnings, HasSubstr("; ANALYZE public.fresh"));
  Sql("DROP TABLE fresh");
}

TEST_F(CheckQueries, WhatOnlyOneOfTheHostsSaysNamesIt) {
  Sql("CREATE TABLE only_here (k text PRIMARY KEY, v text); GRANT SELECT ON only_here TO "
      "mailreader");
  WriteTable(world_.Hosts(), "SELECT v FROM only_here WHERE k = '%s'");
  Expect(kErrors, AllOf(HasSubstr("does not exist (SQLSTATE 42P01) (at host " +
                                  world_.second().TcpHost() + ")"),
                        Not(HasSubstr("(at host " + Host()))));
  Sql("DROP TABLE only_here");
}

TEST_F(CheckQueries, APlaceholderThatIsBoundWithoutQuotes) {
  postfix_.WriteConfig("proxymux.yaml", "table: {statement_mode: prepared}\n");
  Ask("SELECT address FROM relay_recipient WHERE address = %s");
  EXPECT_THAT(Connected().out, Not(HasSubstr(" error: ")));
}

TEST_F(CheckQueries, WhyOneIsSentAsText) {
  const std::string note = InTable(5, "note") + "query: it is sent as text: ";
  Ask("SELECT address FROM relay_recipient WHERE address = '%s'");
  Expect(kNothingWrong, Not(HasSubstr("sent as text")));
  Ask("SELECT address FROM relay_recipient WHERE address = '%s' AND 1 / length(address) < 2");
  Expect(kNothingWrong, HasSubstr(note + "operator / may raise an error"));
  postfix_.WriteConfig("proxymux.yaml", "table: {statement_mode: legacy}\n");
  Ask("SELECT address FROM relay_recipient WHERE address = '%s' AND 1 / length(address) < 2");
  Expect(kNothingWrong, Not(HasSubstr("sent as text")));
}

TEST_F(CheckQueries, APlaceholderInANameIsNoMistake) {
  Ask("SELECT v FROM aliases_%d WHERE k = '%s'");
  Expect(kWarnings, HasSubstr(InTable(5, "note") + "query: what it asks for depends on the key"));
}

}  // namespace
}  // namespace proxymux::integration
