#include "config/postfix/main_cf.h"

#include <gtest/gtest.h>

namespace proxymux::config {
namespace {

std::string Value(const MainCf& parsed, const std::string& name) {
  const auto values = LastValues(parsed.settings);
  const auto at = values.find(name);
  return at == values.end() ? "(absent)" : at->second;
}

TEST(MainCf, ReadsNamesAndValuesWithTheirLines) {
  const MainCf parsed =
      ParseMainCf("# comment\n\nmyhostname=a.example.com\n  \nx =  1 2 \t\n", "m");
  EXPECT_TRUE(parsed.diagnostics.empty());
  ASSERT_EQ(parsed.settings.size(), 2u);
  EXPECT_EQ(parsed.settings[0].name, "myhostname");
  EXPECT_EQ(parsed.settings[0].value, "a.example.com");
  EXPECT_EQ(parsed.settings[0].line, 3);
  EXPECT_EQ(parsed.settings[1].value, "1 2");
  EXPECT_EQ(parsed.settings[1].line, 5);
}

TEST(MainCf, JoinsContinuationLinesWithTheirWhiteSpaceAcrossCommentsAndBlankLines) {
  const MainCf parsed = ParseMainCf(
      "query = SELECT a\n"
      "# a comment between\n"
      "   # an indented one\n"
      "\n"
      "    FROM t\n"
      "\tWHERE x = '%s' # no comment\n"
      "next = 1\n",
      "m");
  EXPECT_EQ(Value(parsed, "query"), "SELECT a    FROM t\tWHERE x = '%s' # no comment");
  ASSERT_EQ(parsed.settings.size(), 2u);
  EXPECT_EQ(parsed.settings[0].line, 1);
  EXPECT_EQ(parsed.settings[1].line, 7);
}

TEST(MainCf, KnowsTheLineOfEachByteOfAValue) {
  const MainCf parsed =
      ParseMainCf("a = 1\nquery = SELECT x\n# comment\n\n  FROM t\n WHERE y\n", "m");
  ASSERT_EQ(parsed.settings.size(), 2u);
  const MainCfSetting& query = parsed.settings[1];
  ASSERT_EQ(query.value, "SELECT x  FROM t WHERE y");
  const TextPlace place{query.line, query.breaks};
  EXPECT_EQ(place.LineAt(0), 2);
  EXPECT_EQ(place.LineAt(query.value.find('x')), 2);
  EXPECT_EQ(place.LineAt(query.value.find("  FROM")), 5);
  EXPECT_EQ(place.LineAt(query.value.find('t')), 5);
  EXPECT_EQ(place.LineAt(query.value.find("WHERE")), 6);
  EXPECT_EQ(place.LineAt(query.value.size()), 6);
}

// Also when it does not begin in the line of its name.
TEST(MainCf, KnowsTheLineOfAValueThatBeginsInALaterOne) {
  const MainCf parsed = ParseMainCf("query =\n  SELECT x\n  FROM t\n", "m");
  ASSERT_EQ(parsed.settings.size(), 1u);
  const MainCfSetting& query = parsed.settings[0];
  const TextPlace place{query.line, query.breaks};
  EXPECT_EQ(query.line, 1);
  EXPECT_EQ(place.LineAt(0), 2);
  EXPECT_EQ(place.LineAt(query.value.find("FROM")), 3);
}

TEST(MainCf, TellsOfAByteOrderMarkWhichIsAPartOfTheName) {
  const MainCf parsed = ParseMainCf("\xef\xbb\xbfhosts = db\nuser = u\n", "m");
  ASSERT_EQ(parsed.diagnostics.size(), 1u);
  EXPECT_EQ(parsed.diagnostics[0].line, 1);
  EXPECT_NE(parsed.diagnostics[0].text.find("byte order mark"), std::string::npos);
  EXPECT_EQ(Value(parsed, "hosts"), "(absent)");
  EXPECT_EQ(Value(parsed, "user"), "u");
}

TEST(MainCf, AMissingLastNewlineAndCarriageReturnsAreFine) {
  const MainCf parsed = ParseMainCf("a = 1\r\n\r\nb = 2\r\n  3\r\nc = 4", "m");
  EXPECT_TRUE(parsed.diagnostics.empty());
  EXPECT_EQ(Value(parsed, "a"), "1");
  EXPECT_EQ(Value(parsed, "b"), "2\r  3");
  EXPECT_EQ(Value(parsed, "c"), "4");
}

TEST(MainCf, AnEmptyValueIsAValue) {
  const MainCf parsed = ParseMainCf("a =\nb=\n", "m");
  EXPECT_TRUE(parsed.diagnostics.empty());
  EXPECT_EQ(Value(parsed, "a"), "");
  EXPECT_EQ(Value(parsed, "b"), "");
}

TEST(MainCf, OnlyTheFirstEqualsSignIsSpecial) {
  EXPECT_EQ(Value(ParseMainCf("dbname = host=/x dbname=\"m\" $y", "m"), "dbname"),
            "host=/x dbname=\"m\" $y");
}

TEST(MainCf, TheLastOfSeveralCountsAndAllAreKept) {
  const MainCf parsed = ParseMainCf("a = 1\na = 2\n", "m");
  EXPECT_EQ(parsed.settings.size(), 2u);
  EXPECT_EQ(Value(parsed, "a"), "2");
}

TEST(MainCf, AFirstLineThatBeginsWithWhiteSpaceIsDroppedWithAWarning) {
  const MainCf parsed = ParseMainCf("# c\n  hosts = a\n  b\nuser = u\n", "x.cf");
  ASSERT_EQ(parsed.diagnostics.size(), 1u);
  EXPECT_EQ(parsed.diagnostics[0].severity, Severity::kWarning);
  EXPECT_EQ(parsed.diagnostics[0].line, 2);
  EXPECT_EQ(Value(parsed, "hosts"), "(absent)");
  EXPECT_EQ(Value(parsed, "user"), "u");
}

TEST(MainCf, EveryLineWithoutNameOrEqualsSignIsReported) {
  const MainCf parsed = ParseMainCf("good = 1\nbad\n= 2\nbad name = 3\n  more\nalso = 4\n", "x.cf");
  ASSERT_EQ(parsed.diagnostics.size(), 3u);
  EXPECT_EQ(parsed.diagnostics[0].line, 2);
  EXPECT_EQ(parsed.diagnostics[1].line, 3);
  EXPECT_EQ(parsed.diagnostics[2].line, 4);
  EXPECT_TRUE(HasErrors(parsed.diagnostics));
  EXPECT_EQ(Value(parsed, "good"), "1");
  EXPECT_EQ(Value(parsed, "also"), "4");
}

TEST(MainCf, ABrokenLineIsNotQuotedSinceItMayBeAPassword) {
  const MainCf parsed = ParseMainCf("password s3cret!\nhunter2\n", "x.cf");
  ASSERT_EQ(parsed.diagnostics.size(), 2u);
  EXPECT_NE(parsed.diagnostics[0].ToString().find("password"), std::string::npos);
  EXPECT_EQ(parsed.diagnostics[0].ToString().find("s3cret"), std::string::npos);
  EXPECT_EQ(parsed.diagnostics[1].ToString().find("hunter2"), std::string::npos);
}

TEST(MainCf, ANulByteEndsTheSettingWithAWarning) {
  const MainCf parsed = ParseMainCf(std::string_view("a = 1\0 2\nb = 3\n", 15), "x.cf");
  ASSERT_EQ(parsed.diagnostics.size(), 1u);
  EXPECT_EQ(parsed.diagnostics[0].severity, Severity::kWarning);
  EXPECT_EQ(Value(parsed, "a"), "1");
  EXPECT_EQ(Value(parsed, "b"), "3");
}

TEST(MainCf, NothingIsNothing) {
  for (const std::string_view text : {"", "\n", "   ", "#", "# x\n\n  # y"}) {
    const MainCf parsed = ParseMainCf(text, "m");
    EXPECT_TRUE(parsed.settings.empty());
    EXPECT_TRUE(parsed.diagnostics.empty());
  }
}

}  // namespace
}  // namespace proxymux::config
