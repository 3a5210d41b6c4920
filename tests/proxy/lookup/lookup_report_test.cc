// The text of `proxymux lookup --explain`.
#include "proxy/lookup/lookup_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace proxymux::proxy {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

LookupReport Found() {
  LookupReport report;
  report.table = "pgsql:/etc/postfix/x.cf";
  report.settings = "/etc/postfix/main.cf (Postfix 3.7, smtputf8_enable = yes)";
  report.user = "postfix (mail_owner), as the service";
  report.key = "A@B.c";
  report.folding = protocol::Folding::kUnicode;
  report.folded_key = "a@b.c";
  report.query = "SELECT v, w FROM t WHERE k = '%s'";
  report.pool = "reader@db1,db2/mail";
  report.plan = "text";
  report.statement.emplace();
  report.statement->sql = "SELECT v, w FROM t WHERE k = 'a@b.c'";
  report.statement->has_rows = true;
  report.statement->rows = 2;
  report.statement->columns = 2;
  report.statement->elements = 2;
  report.statement->empty = 2;
  report.statement->first_rows = {{{false, "one", 3}, {true, "", 0}},
                                  {{false, "", 0}, {false, "two", 3}}};
  report.host = "db2:5432";
  report.time = std::chrono::microseconds(1234);
  report.outcome = pgsql::Outcome::kFound;
  report.value = "one,two";
  report.reason = "the query returned NULL or empty columns, which are skipped";
  return report;
}

TEST(LookupReport, ShowsTheWholeWayOfAKeyThatIsFound) {
  EXPECT_EQ(ReportText(Found()),
            "table:      pgsql:/etc/postfix/x.cf\n"
            "settings:   /etc/postfix/main.cf (Postfix 3.7, smtputf8_enable = yes)\n"
            "user:       postfix (mail_owner), as the service\n"
            "key:        \"A@B.c\"\n"
            "folded key: \"a@b.c\" (Unicode)\n"
            "query:      SELECT v, w FROM t WHERE k = '%s'\n"
            "plan:       text\n"
            "statement:  SELECT v, w FROM t WHERE k = 'a@b.c'\n"
            "pool:       reader@db1,db2/mail\n"
            "host:       db2:5432\n"
            "time:       1.2 ms\n"
            "rows:       2 (columns: 2)\n"
            "  row 1:    \"one\", NULL\n"
            "  row 2:    \"\", \"two\"\n"
            "elements:   2, and 2 skipped that are NULL or empty\n"
            "value:      \"one,two\"\n"
            "reason:     the query returned NULL or empty columns, which are skipped\n"
            "status:     OK: the value is the answer\n");
}

TEST(LookupReport, ParametersStandBelowTheirStatement) {
  LookupReport report = Found();
  report.statement->sql = "SELECT v FROM t WHERE k = $1 AND d = $2";
  report.statement->parameters = {"a@b.c", "it's"};
  EXPECT_THAT(ReportText(report), HasSubstr("statement:  SELECT v FROM t WHERE k = $1 AND d = $2\n"
                                            "  $1:       \"a@b.c\"\n"
                                            "  $2:       \"it's\"\n"));
}

TEST(LookupReport, WithoutAQueryItSaysWhyAndNothingOfServers) {
  LookupReport report;
  report.key = report.folded_key = "nobody";
  report.query = "SELECT 1 WHERE '%d' = ''";
  report.pool = "db1/mail";
  report.no_query = "the key has no domain";
  report.outcome = pgsql::Outcome::kNotFound;
  const std::string text = ReportText(report);
  EXPECT_THAT(text, HasSubstr("folded key: \"nobody\" (not folded)\n"));
  EXPECT_THAT(text, EndsWith("query:      SELECT 1 WHERE '%d' = ''\n"
                             "not asked:  the key has no domain\n"
                             "status:     NOKEY: there is no such key\n"));
}

TEST(LookupReport, AReasonThatSaysNothingNewIsLeftOut) {
  LookupReport report;
  report.no_query = report.reason = "the key is empty";
  EXPECT_THAT(ReportText(report), Not(HasSubstr("reason:")));
  report.reason = "another one";
  EXPECT_THAT(ReportText(report), HasSubstr("reason:     another one\n"));
}

TEST(LookupReport, WithoutAServerThereIsNoPlanAndNoTime) {
  LookupReport report;
  report.query = "SELECT 1";
  report.pool = "db1/mail";
  report.reason = "db1: connection refused";
  EXPECT_THAT(ReportText(report),
              EndsWith("query:      SELECT 1\n"
                       "pool:       db1/mail\n"
                       "host:       none answered\n"
                       "reason:     db1: connection refused\n"
                       "status:     RETRY: mail is deferred, and the lookup made again later\n"));
}

TEST(LookupReport, AnErrorOfTheServerHasAStatementAndNoRows) {
  LookupReport report = Found();
  report.outcome = pgsql::Outcome::kConfig;
  report.statement = ShownStatement{};
  report.statement->sql = "SELECT nonsense";
  const std::string text = ReportText(report);
  EXPECT_THAT(text, HasSubstr("statement:  SELECT nonsense\n"));
  EXPECT_THAT(text, Not(HasSubstr("rows:")));
  EXPECT_THAT(text, Not(HasSubstr("value:"))) << "only what was found has one";
  EXPECT_THAT(text, HasSubstr("status:     CONFIG: "));
}

TEST(LookupReport, WhatIsNotShownOfManyRowsAndColumnsIsCounted) {
  LookupReport report = Found();
  report.statement->rows = 1000;
  report.statement->columns = 30;
  const std::string text = ReportText(report);
  EXPECT_THAT(text, HasSubstr("  row 1:    \"one\", NULL, and 28 more columns\n"));
  EXPECT_THAT(text, HasSubstr("  and 998 more rows\n"));
}

TEST(LookupReport, WhatADomainListAskedIsShown) {
  LookupReport report = Found();
  report.domain_tables = "hash:/x: found";
  EXPECT_THAT(ReportText(report), HasSubstr("domain:     hash:/x: found\n"));
}

TEST(PlanText, SaysWhyAQueryStaysText) {
  using pgsql::StatementForm;
  EXPECT_EQ(PlanText(StatementForm::kText, ""), "text");
  EXPECT_EQ(PlanText(StatementForm::kText, "a placeholder stands outside of quotes"),
            "text; stays text: a placeholder stands outside of quotes");
  EXPECT_EQ(PlanText(StatementForm::kParameterized, ""), "parameterized");
  EXPECT_EQ(PlanText(StatementForm::kPrepared, ""), "prepared");
}

}  // namespace
}  // namespace proxymux::proxy
