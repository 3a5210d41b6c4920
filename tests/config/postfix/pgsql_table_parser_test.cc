#include "config/postfix/pgsql_table_parser.h"

#include <gtest/gtest.h>

#include "tests/config/values/messages.h"

namespace proxymux::config {
namespace {

constexpr MailVersion k37 = {3, 7};
constexpr MailVersion k312 = {3, 12};

ParsedTable Parse(std::string_view text, MailVersion version = k312) {
  return ParsePgsqlTable(text, "t.cf", version);
}

// A good table with these lines in it.
ParsedTable With(const std::string& lines, MailVersion version = k312) {
  return Parse("dbname = d\nquery = q '%s'\n" + lines, version);
}

TEST(PgsqlTableParser, ASmallTableHasDefaults) {
  const ParsedTable parsed = Parse("dbname = mail\nquery = SELECT a FROM t WHERE b = '%s'\n");
  EXPECT_EQ(Messages(parsed), "");
  TableConfig expected;
  expected.hosts = {"localhost"};
  expected.dbname = "mail";
  expected.encoding = "UTF8";
  expected.query = "SELECT a FROM t WHERE b = '%s'";
  ASSERT_TRUE(parsed.table);
  EXPECT_EQ(*parsed.table, expected);
}

TEST(PgsqlTableParser, ReadsEverySetting) {
  const ParsedTable parsed = Parse(
      "hosts = inet:db1:5433, /run/pg\n  unix:/x,,postgresql://u@h/d?sslmode=require\n"
      "user = u\npassword = a # b\ndbname = mail\nencoding = LATIN9\nidle_interval = 5\n"
      "retry_interval = 7\nquery = SELECT 1\nresult_format = smtp:[%s]\n"
      "domain = example.com, !b.org hash:/x inline:{a=b, c=d}\nexpansion_limit = 3\n"
      "statement_mode = Prepared\n");
  EXPECT_EQ(Messages(parsed).find("error"), std::string::npos) << Messages(parsed);
  ASSERT_TRUE(parsed.table);
  const TableConfig& table = *parsed.table;
  EXPECT_EQ(table.hosts, (std::vector<std::string>{"inet:db1:5433", "/run/pg", "unix:/x",
                                                   "postgresql://u@h/d?sslmode=require"}));
  EXPECT_EQ(table.password, "a # b");
  EXPECT_EQ(table.encoding, "LATIN9");
  EXPECT_EQ(table.idle_interval, std::chrono::seconds(5));
  EXPECT_EQ(table.retry_interval, std::chrono::seconds(7));
  EXPECT_EQ(table.result_format, "smtp:[%s]");
  EXPECT_EQ(table.domain,
            (std::vector<std::string>{"example.com", "!b.org", "hash:/x", "inline:{a=b, c=d}"}));
  EXPECT_EQ(table.expansion_limit, 3);
  EXPECT_EQ(table.statement_mode, StatementMode::kPrepared);
}

TEST(PgsqlTableParser, EmptySettingsCountAsAbsent) {
  const ParsedTable parsed = Parse(
      "hosts =\nuser =\npassword =\ndbname = d\ndomain =\nquery =\nselect_function = f\ntable =\n");
  EXPECT_EQ(Messages(parsed), "");
  ASSERT_TRUE(parsed.table);
  EXPECT_EQ(parsed.table->hosts, std::vector<std::string>{"localhost"});
  EXPECT_EQ(parsed.table->query, "SELECT f('%s')");
  EXPECT_TRUE(parsed.table->domain.empty());
  EXPECT_EQ(With("hosts = ,\n").table->hosts, std::vector<std::string>{"localhost"});
}

TEST(PgsqlTableParser, SomeSettingsMayNotBeEmpty) {
  for (const std::string name : {"encoding", "result_format", "expansion_limit", "idle_interval",
                                 "retry_interval", "statement_mode"}) {
    const ParsedTable parsed = With(name + " =\n");
    EXPECT_FALSE(parsed.table) << name;
    ASSERT_EQ(parsed.diagnostics.size(), 1u) << name;
    EXPECT_EQ(parsed.diagnostics[0].line, 3) << name;
  }
}

TEST(PgsqlTableParser, NumbersHaveLimits) {
  EXPECT_EQ(With("expansion_limit = -5\n").table->expansion_limit, -5);
  EXPECT_EQ(With("expansion_limit = +5\n").table->expansion_limit, 5);
  EXPECT_EQ(With("expansion_limit = 2147483647\n").table->expansion_limit, 2147483647);
  for (const std::string value : {"5x", "3 4", "x", "2147483648", "99999999999999999999", "0x5",
                                  "1.0", "+-5", "5s", "-", "+"}) {
    EXPECT_FALSE(With("expansion_limit = " + value + "\n").table) << value;
  }
  EXPECT_FALSE(With("idle_interval = 0\n").table);
  EXPECT_FALSE(With("retry_interval = -1\n").table);
  EXPECT_TRUE(With("retry_interval = 1\n").table);
}

TEST(PgsqlTableParser, QueryComesBeforeFunctionAndFunctionBeforeParts) {
  const std::string parts = "table = t\nselect_field = f\nwhere_field = w\n";
  const std::string dbname = "dbname = d\n";
  EXPECT_EQ(Parse(dbname + parts + "select_function = fn\nquery = q\n").table->query, "q");
  EXPECT_EQ(Parse(dbname + parts + "select_function = fn\n").table->query, "SELECT fn('%s')");
  EXPECT_EQ(Parse(dbname + parts).table->query, "SELECT f FROM t WHERE w='%s' ");
  EXPECT_EQ(Parse(dbname + parts + "additional_conditions = AND x LIMIT 1\n").table->query,
            "SELECT f FROM t WHERE w='%s' AND x LIMIT 1");
}

TEST(PgsqlTableParser, AMissingQueryIsExplained) {
  EXPECT_EQ(Messages(Parse("dbname = d\n")),
            "t.cf: error: there is no query (write `query = SELECT ...`)\n");
  const ParsedTable parts = Parse("dbname = d\ntable = t\nselect_field =\n");
  EXPECT_FALSE(parts.table);
  EXPECT_NE(Messages(parts).find("missing: select_field, where_field"), std::string::npos);
}

TEST(PgsqlTableParser, DbnameIsRequiredUnlessEveryHostIsAUri) {
  EXPECT_FALSE(Parse("query = q\n").table);
  EXPECT_FALSE(Parse("query = q\nhosts = postgresql://h/d /run/pg\n").table);
  EXPECT_TRUE(Parse("query = q\nhosts = postgresql://h/d postgres://i/d\n").table);
  const ParsedTable older = Parse("query = q\nhosts = postgresql://h/d\n", k37);
  EXPECT_FALSE(older.table);
  EXPECT_NE(Messages(older).find("before 3.10"), std::string::npos);
}

TEST(PgsqlTableParser, TheEncodingFollowsTheRelease) {
  EXPECT_EQ(With("", k37).table->encoding, "LATIN1");
  EXPECT_EQ(With("", {3, 8}).table->encoding, "UTF8");
  EXPECT_EQ(With("encoding = LATIN1\n", {3, 8}).table->encoding, "LATIN1");
  EXPECT_EQ(With("encoding = UTF8\n", k37).table->encoding, "UTF8");
}

TEST(PgsqlTableParser, WhatTheReleaseDoesNotReadHasItsDefaultAndAWarning) {
  const ParsedTable parsed = With("idle_interval = 5\nretry_interval = no number\n", k37);
  ASSERT_TRUE(parsed.table);
  EXPECT_EQ(parsed.table->idle_interval, std::chrono::seconds(60));
  EXPECT_EQ(parsed.table->retry_interval, std::chrono::seconds(60));
  EXPECT_EQ(parsed.diagnostics.size(), 2u);
  EXPECT_EQ(With("idle_interval = 5\n", {3, 8}).diagnostics.size(), 1u);
  EXPECT_EQ(With("idle_interval = 5\n", {3, 9}).diagnostics.size(), 0u);
  EXPECT_EQ(With("hosts = postgres://h/d\n", {3, 9}).diagnostics.size(), 1u);
  EXPECT_EQ(With("hosts = postgres://h/d\n", {3, 10}).diagnostics.size(), 0u);
}

TEST(PgsqlTableParser, LaterSettingsWinWithAWarningWhenTheyDiffer) {
  const ParsedTable parsed = With("user = a\nuser = b\npassword = p\npassword = p\n");
  ASSERT_TRUE(parsed.table);
  EXPECT_EQ(parsed.table->user, "b");
  EXPECT_EQ(Messages(parsed),
            "t.cf:4: warning: user is set again with another value; this one counts (it is first "
            "set in line 3)\n");
}

TEST(PgsqlTableParser, UnknownSettingsAreWarnedAboutOnceAndIgnored) {
  const ParsedTable parsed = With("port = 5\nport = 6\nqeury = x\nQuery = y\n");
  ASSERT_TRUE(parsed.table);
  EXPECT_EQ(parsed.table->query, "q '%s'");
  EXPECT_EQ(parsed.diagnostics.size(), 3u);
  EXPECT_NE(Messages(parsed).find("t.cf:5: warning: unknown setting \"qeury\"; it is ignored (did "
                                  "you mean \"query\"?)"),
            std::string::npos);
}

TEST(PgsqlTableParser, StatementModeIsOneOfFourWords) {
  EXPECT_EQ(With("statement_mode = AUTO\n").table->statement_mode, StatementMode::kAuto);
  EXPECT_EQ(With("statement_mode = legacy\n").table->statement_mode, StatementMode::kLegacy);
  EXPECT_EQ(With("statement_mode = parameterized\n", k37).table->statement_mode,
            StatementMode::kParameterized);
  EXPECT_FALSE(With("statement_mode = prepare\n").table);
  EXPECT_NE(Messages(With("statement_mode = prepare\n")).find("did you mean \"prepared\"?"),
            std::string::npos);
}

TEST(PgsqlTableParser, ABrokenLineBreaksTheTableAndEverythingIsReported) {
  const ParsedTable parsed =
      Parse("bogus\nquery = q\nexpansion_limit = many\nhosts = a\n= 3\npassword hunter2\n");
  EXPECT_FALSE(parsed.table);
  EXPECT_EQ(parsed.diagnostics.size(), 5u) << Messages(parsed);
  EXPECT_EQ(Messages(parsed).find("hunter2"), std::string::npos);
}

TEST(PgsqlTableParser, ADroppedFirstLineIsOnlyAWarning) {
  const ParsedTable parsed = Parse(" hosts = h\ndbname = d\nquery = q");
  ASSERT_TRUE(parsed.table);
  EXPECT_EQ(parsed.table->hosts, std::vector<std::string>{"localhost"});
  EXPECT_EQ(parsed.diagnostics.size(), 1u);
}

TEST(PgsqlTableParser, ATableMayStandInMainCf) {
  const std::vector<MainCfSetting> main_cf = {{"foo_hosts", "h1 h2", 3}, {"foo_dbname", "d", 4},
                                              {"foo_query", "q", 5},     {"foobar_user", "x", 6},
                                              {"foo_password", "p", 7},  {"foo_other", "x", 8},
                                              {"myhostname", "m", 9},    {"foo_dbname", "e", 10}};
  const ParsedTable parsed = ParsePgsqlTableInMainCf("foo", main_cf, "main.cf", k312);
  EXPECT_EQ(Messages(parsed),
            "main.cf:10: warning: foo_dbname is set again with another value; this one counts (it "
            "is first set in line 4)\n");
  ASSERT_TRUE(parsed.table);
  EXPECT_EQ(parsed.table->hosts, (std::vector<std::string>{"h1", "h2"}));
  EXPECT_EQ(parsed.table->dbname, "e");
  EXPECT_EQ(parsed.table->user, "");
  EXPECT_EQ(parsed.table->password, "p");
  const ParsedTable none = ParsePgsqlTableInMainCf("bar", main_cf, "main.cf", k312);
  EXPECT_FALSE(none.table);
  EXPECT_NE(Messages(none).find("pgsql:/etc/postfix/bar"), std::string::npos);
}

TEST(PgsqlTableParser, ASettingOfMainCfThatCannotBeExpandedIsNamedAndNotMissing) {
  const std::vector<MainCfSetting> main_cf = {{"foo_hosts", "h", 3},
                                              {"foo_dbname", "", 4, "a stray thing"},
                                              {"foo_expansion_limit", "", 5, "a stray thing"},
                                              {"foo_query", "", 6, "a stray thing"}};
  const ParsedTable parsed = ParsePgsqlTableInMainCf("foo", main_cf, "main.cf", k312);
  EXPECT_FALSE(parsed.table);
  std::string expected;
  for (const char* setting :
       {"4: error: foo_dbname", "5: error: foo_expansion_limit", "6: error: foo_query"}) {
    expected +=
        std::string("main.cf:") + setting + ": a stray thing (write `$$` for a plain \"$\")\n";
  }
  EXPECT_EQ(Messages(parsed), expected);
}

TEST(MailVersion, IsReadWithPatchLevelsAndSnapshotDates) {
  EXPECT_EQ(ParseMailVersion("3.7.11"), k37);
  EXPECT_EQ(ParseMailVersion("3.12-20260821"), k312);
  EXPECT_EQ(ParseMailVersion("3.9-RC1"), (MailVersion{3, 9}));
  EXPECT_EQ(ParseMailVersion("3.10"), (MailVersion{3, 10}));
  EXPECT_LT(*ParseMailVersion("3.9.2"), *ParseMailVersion("3.10.0"));
  EXPECT_EQ(k312.ToString(), "3.12");
  for (const std::string_view text : {"", "3", "3.", "x.y", "3.7x", "-3.7", "3.-7", ".7"}) {
    EXPECT_EQ(ParseMailVersion(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace proxymux::config
