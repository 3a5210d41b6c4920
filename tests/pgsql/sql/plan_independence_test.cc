// Which queries answer the same under every plan, so that they may be prepared unasked.

#include "pgsql/sql/plan_independence.h"

#include <gtest/gtest.h>

#include <string>

#include "pgsql/sql/sql_lexer.h"
#include "pgsql/sql/statement_class.h"

namespace proxymux::pgsql {
namespace {

std::string Why(const std::string& query) {
  const std::vector<Token> tokens = LexSql(query);
  return WhyPlanMatters(query, tokens, ClassifyStatement(query, tokens, false));
}

class SameUnderEveryPlan : public testing::TestWithParam<const char*> {};

TEST_P(SameUnderEveryPlan, IsSeen) { EXPECT_EQ(Why(GetParam()), ""); }

INSTANTIATE_TEST_SUITE_P(
    Queries, SameUnderEveryPlan,
    testing::Values(
        "SELECT goto FROM alias WHERE address = '%s' AND active",
        "SELECT goto FROM alias WHERE address='%s' AND active = '1';",
        "SELECT goto FROM alias, alias_domain WHERE alias_domain.alias_domain = '%d' AND"
        " alias.address = '%u' || '@' || alias_domain.target_domain AND alias.active = true",
        "SELECT CONCAT(a.local, '@', a.domain) FROM a LEFT JOIN d ON (d.name = a.domain)"
        " WHERE lower(a.address) = lower('%s')",
        "SELECT 1 FROM t WHERE id = '%s'::int", "SELECT 1 FROM t WHERE id = CAST('%s' AS integer)",
        "SELECT v::text FROM t WHERE k::varchar(8) = '%s'", "SELECT count(*) FROM t WHERE k = '%s'",
        "SELECT t.* FROM t WHERE k = '%s' ORDER BY v",
        "(SELECT a FROM t WHERE k = '%s') UNION ALL (SELECT b FROM u WHERE k = '%s')",
        "SELECT a FROM t WHERE k IN (SELECT k FROM u WHERE d = '%d')",
        "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.k = t.k AND d = '%d')",
        "WITH d AS (SELECT name FROM domains WHERE name = '%d') SELECT name FROM d",
        "SELECT a FROM t WHERE '%u' NOT LIKE '%%+%%' AND k = '%s'",
        "SELECT CASE WHEN active THEN 'OK' ELSE 'REJECT' END FROM t WHERE k = '%s'",
        "SELECT split_part(k, '@', 2) FROM t WHERE k = '%s'", "SELECT f('%s')", "SELECT 2 * 3",
        "SELECT max(f('%s')), md5('%u')", "SELECT a /* isn't it */ FROM t WHERE k = '%s' -- don't",
        "SELECT a FROM t WHERE k = ANY (string_to_array('%s', ','))", "VALUES ('%s')",
        "SELECT data->>'name' FROM t WHERE data @> '{\"k\": \"%s\"}'",
        "SELECT substr('%s', 2, 3) FROM t", "SELECT t.limit FROM t WHERE k = '%s'"));

struct Open {
  const char* query;
  const char* why;
};
class AnotherUnderAnotherPlan : public testing::TestWithParam<Open> {};

TEST_P(AnotherUnderAnotherPlan, IsSeen) {
  const std::string why = Why(GetParam().query);
  EXPECT_NE(why.find(GetParam().why), std::string::npos) << GetParam().query << ": " << why;
  EXPECT_FALSE(why.empty()) << GetParam().query;
}

INSTANTIATE_TEST_SUITE_P(
    Queries, AnotherUnderAnotherPlan,
    testing::Values(
        Open{"SELECT a FROM t WHERE k = '%s' LIMIT 1", "it has LIMIT"},
        Open{"SELECT a FROM t WHERE k = '%s' FETCH FIRST ROW ONLY", "it has FETCH"},
        Open{"SELECT DISTINCT ON (k) a FROM t WHERE k = '%s'", "DISTINCT ON"},
        Open{"SELECT string_agg(a, ',') FROM t WHERE k = '%s'", "string_agg()"},
        Open{"SELECT a FROM t WHERE k = f('%s')", "f()"},
        Open{"SELECT a FROM t WHERE \"f\"(k) = '%s'", "\"f\"()"},
        Open{"SELECT a FROM t WHERE x.lower(k) = '%s'", "lower()"},
        Open{"SELECT * FROM f('%s')", "f()"}, Open{"SELECT a FROM t WHERE k LIKE '%s'", "LIKE"},
        Open{"SELECT a FROM t WHERE '%s' LIKE k", "LIKE"},
        Open{"SELECT a FROM t WHERE k LIKE 'a' || '%s'", "LIKE"},
        Open{"SELECT a FROM t WHERE k LIKE 'a\\'", "LIKE"},
        Open{"SELECT a FROM t WHERE k ~ '%s'", "operator ~"},
        Open{"SELECT a FROM t WHERE k = '%s' AND n / 2 = 1", "operator /"},
        Open{"SELECT 2 * n FROM t WHERE k = '%s'", "operator *"},
        Open{"SELECT a FROM t WHERE k = '%s' AND b::int = 1", "a cast"},
        Open{"SELECT a FROM t WHERE k = '%s' AND CAST(b AS int) = 1", "a cast"},
        Open{"SELECT a FROM t WHERE k = '%s' AND b::public.text = '1'", "a cast"},
        Open{"SELECT a FROM t WHERE k = (SELECT k FROM u WHERE d = '%d')", "scalar sub-select"},
        Open{"SELECT a, (SELECT max(b) FROM u) FROM t WHERE k = '%s'", "scalar sub-select"},
        Open{"SELECT array(SELECT a FROM t WHERE k = '%s')", "array"},
        Open{"SELECT row_number() OVER () FROM t WHERE k = '%s'", "row_number()"},
        Open{"SELECT substr(k, 2, -1) FROM t WHERE k = '%s'", "substr()"},
        Open{"SELECT split_part(k, '@', 0) FROM t WHERE k = '%s'", "split_part()"},
        Open{"SELECT split_part(k, '@', 123456789) FROM t WHERE k = '%s'", "split_part()"},
        Open{"SELECT split_part(k, '@', 1 FROM t WHERE k = '%s'", "split_part()"},
        Open{"SELECT split_part(k, '@', n) FROM t WHERE k = '%s'", "split_part()"},
        Open{"WITH RECURSIVE x AS (SELECT 1) SELECT * FROM x WHERE k = '%s'", "RECURSIVE"},
        Open{"SELECT CASE WHEN f('%s') THEN g('%s') END", "f()"},
        Open{"SELECT a FROM t WHERE k = '%s' FOR UPDATE", "may write"},
        Open{"DELETE FROM t WHERE k = '%s' RETURNING a", "may write"}));

bool Known(const std::string& query) { return OnlyKnownFunctions(query, LexSql(query)); }

TEST(PlanIndependence, SaysWhetherAllFunctionsAreKnown) {
  EXPECT_TRUE(Known("SELECT concat('%u', '@', d) FROM t WHERE '%s' IS NOT NULL"));
  EXPECT_TRUE(Known("SELECT concat('%u', '@x')"));
  EXPECT_TRUE(Known("SELECT a FROM t WHERE k = ('%s') AND n + (1) > 0"));
  EXPECT_FALSE(Known("SELECT pg_typeof('%s')"));
  EXPECT_FALSE(Known("SELECT to_jsonb('%s')"));
  EXPECT_FALSE(Known("SELECT pg_catalog.lower('%s')"));
  EXPECT_FALSE(Known("SELECT \"f\"('%s')"));
  EXPECT_TRUE(Known("SELECT a FROM t WHERE (k = '%s') AND b::varchar(8) IN ('a', '%u') LIMIT 1"));
}

}  // namespace
}  // namespace proxymux::pgsql
