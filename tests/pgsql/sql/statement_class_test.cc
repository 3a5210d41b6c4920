#include "pgsql/sql/statement_class.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace proxymux::pgsql {
namespace {

using Names = std::vector<std::string>;

StatementClass Classify(std::string_view text, bool open_placeholders = false) {
  return ClassifyStatement(text, LexSql(text), open_placeholders);
}

TEST(StatementClass, CountsStatementsThatHoldSomething) {
  EXPECT_EQ(Classify("").statements, 0u);
  EXPECT_EQ(Classify(" ; /* x */ ; -- y").statements, 0u);
  EXPECT_EQ(Classify("SELECT 1; ; -- done").statements, 1u);
  EXPECT_EQ(Classify("SELECT ';'; SELECT $$;$$").statements, 2u);
}

TEST(StatementClass, PlainReads) {
  for (const char* text :
       {"SELECT 1", "select a from t;", "(SELECT 1) UNION ((SELECT 2))", "VALUES (1),(2)",
        "TABLE t", "WITH x AS (SELECT 1) SELECT * FROM x", "/* c */ SELECT 1", "SELECT 1; SELECT 2",
        "SELECT update, t.into FROM t", "SELECT substring(x for 3)", "SELECT 'INSERT INTO t'",
        "SELECT \"into\" FROM t", "SELECT now() AT TIME ZONE 'UTC'"}) {
    EXPECT_TRUE(Classify(text).plain_read) << text;
    EXPECT_FALSE(Classify(text).may_write) << text;
  }
}

TEST(StatementClass, WhatMayWrite) {
  for (const char* text :
       {"", "INSERT INTO t VALUES (1)", "UPDATE t SET a=1 RETURNING a", "DELETE FROM t", "CALL p()",
        "SELECT a INTO b FROM t", "SELECT a FROM t FOR UPDATE", "SELECT a FROM t for no key update",
        "SELECT a FROM t FOR KEY SHARE", "SELECT a FROM t FOR SHARE",
        "WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d",
        "WITH x AS (SELECT 1) INSERT INTO t SELECT 1",
        "with x as (select 1) merge into t using x on true when matched then do nothing",
        "SELECT 1; DELETE FROM t", "EXPLAIN ANALYZE SELECT 1", "SELECT 'x", "DO $$ $$",
        "COPY t TO STDOUT"}) {
    EXPECT_FALSE(Classify(text).plain_read) << text;
    EXPECT_TRUE(Classify(text).may_write) << text;
  }
}

TEST(StatementClass, OpenPlaceholdersMayWrite) {
  EXPECT_TRUE(Classify("SELECT %s", true).may_write);
  EXPECT_TRUE(Classify("SELECT %s", true).plain_read);
}

TEST(StatementClass, NamesCalledAreFoldedAndWithoutSchema) {
  EXPECT_EQ(Classify("SELECT Foo(x), s.BAR (y), \"Ba\"\"z\"(1), foo(2), s.\"Q\" /* c */ (3)")
                .called_names,
            (Names{"Ba\"z", "Q", "bar", "foo"}));
}

TEST(StatementClass, WordsOfTheGrammarAreNotCalled) {
  EXPECT_EQ(
      Classify(
          "SELECT COALESCE(a), CAST(b AS text), array(select 1) FROM (VALUES (1)) v WHERE a IN (1) "
          "AND EXISTS (SELECT 1) AND b = ANY (c) OR (d) AND NOT (e) UNION (SELECT 2)")
          .called_names,
      Names{});
  EXPECT_EQ(
      Classify("SELECT substring(a), left(b), s.all(c), \"any\"(d), nextval('s')").called_names,
      (Names{"all", "any", "left", "nextval", "substring"}));
}

TEST(StatementClass, NamesBehindADotMayBeFunctionsOfOneArgument) {
  const StatementClass result = Classify("SELECT t.Total, (r).f, s.g(1), t.* FROM public.users t");
  EXPECT_EQ(result.attribute_names, (Names{"f", "total", "users"}));
  EXPECT_EQ(result.called_names, Names{"g"});
}

TEST(StatementClass, NamesInLiteralsAndCommentsAreNotCalled) {
  EXPECT_EQ(Classify("SELECT 'f(1)' /* g(2) */ -- h(3)").called_names, Names{});
}

// Where it cuts a name only the server knows: it depends on the database's encoding.
TEST(StatementClass, LongNamesAreWhole) {
  const std::string name(62, 'a');
  EXPECT_EQ(Classify("SELECT " + name + "bcd(1)").called_names, Names{name + "bcd"});
  EXPECT_EQ(Classify("SELECT \"" + name + "\xc3\xa9\"(1)").called_names, Names{name + "\xc3\xa9"});
}

TEST(StatementClass, WhatIsLeftBehindInTheSessionIsSeen) {
  for (const char* text :
       {"SET search_path TO other; SELECT 1", "BEGIN; SELECT 1", "SET LOCAL a.b = 1", "RESET ALL",
        "CREATE TEMP TABLE t (a int)", "SELECT 1 INTO TEMP t", "PREPARE p AS SELECT 1", "LISTEN c",
        "DO $$ BEGIN END $$", "DECLARE c CURSOR WITH HOLD FOR SELECT 1", "CALL p()",
        "SELECT pg_catalog.set_config('search_path', 'other', false)",
        "SELECT a FROM t WHERE pg_advisory_lock(1) IS NULL"}) {
    EXPECT_TRUE(Classify(text).changes_session) << text;
  }
  for (const char* text :
       {"SELECT 1", "(SELECT 1) UNION SELECT 2", "WITH a AS (SELECT 1) SELECT * FROM a",
        "INSERT INTO log VALUES (1) RETURNING 1", "UPDATE t SET a = 1 RETURNING a",
        "WITH x AS (INSERT INTO log VALUES (1) RETURNING a) SELECT a FROM x", "SELECT nextval('s')",
        "VALUES (1)", "TABLE t", "SELECT t.into FROM t", "SELECT 1; SELECT 2", "SELECT 1; (("}) {
    EXPECT_FALSE(Classify(text).changes_session) << text;
  }
}

TEST(StatementClass, NamesThatTheTextDoesNotTellMayWrite) {
  EXPECT_TRUE(Classify("SELECT U&\"\\0066\"(1)").may_write);
  EXPECT_TRUE(Classify("SELECT \xc3\x84(1)").may_write);
  EXPECT_FALSE(Classify("SELECT \"\xc3\x84\"(1)").may_write);
}

}  // namespace
}  // namespace proxymux::pgsql
