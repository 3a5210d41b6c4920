#include "pgsql/query_template.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace proxymux::pgsql {
namespace {

// Escapes as libpq does on a UTF-8 connection with standard_conforming_strings on, or off.
class Escaper : public LiteralEscaper {
 public:
  explicit Escaper(bool conforming = true, bool trail = false)
      : conforming_(conforming), trail_(trail) {}
  bool Escape(std::string_view in, std::string* out) override {
    for (const char c : in) {
      if (c == '\xff') return false;
      if (c == '\'' || (c == '\\' && !conforming_)) out->push_back(c);
      out->push_back(c);
    }
    return true;
  }
  bool DoublesBackslashes() const override { return !conforming_; }
  bool BackslashMayBeTrailByte() const override { return trail_; }

 private:
  bool conforming_;
  bool trail_;
};

QueryTemplate Compiled(std::string_view query, UnquotedValues unquoted = UnquotedValues::kNumbers) {
  auto result = QueryTemplate::Compile(query, unquoted);
  EXPECT_TRUE(std::holds_alternative<QueryTemplate>(result)) << query;
  return std::get<QueryTemplate>(std::move(result));
}
std::string Text(const QueryTemplate& query, std::string_view key, Escaper escaper = Escaper()) {
  std::string out;
  switch (query.AppendText(KeyParts(key), escaper, &out)) {
    case Expansion::kDone:
      return out;
    case Expansion::kNotEscapable:
      return "(not escapable)";
    case Expansion::kNotANumber:
      return "(not a number)";
  }
  return "";
}
std::string Text(std::string_view query, std::string_view key, Escaper escaper = Escaper()) {
  return Text(Compiled(query), key, escaper);
}
// The bind plan on one line: QUERY | value | value.
std::string Bind(std::string_view query, std::string_view key) {
  const QueryTemplate compiled = Compiled(query);
  if (!compiled.can_bind()) return "text: " + compiled.text_reason();
  std::string out = compiled.bind_query();
  for (std::size_t i = 0; i < compiled.parameter_count(); ++i) {
    out += " | ";
    compiled.AppendParameter(i, KeyParts(key), &out);
  }
  return out;
}
bool StaysText(std::string_view query) { return !Compiled(query).can_bind(); }

TEST(QueryTemplate, ExpandsEveryPlaceholder) {
  EXPECT_EQ(Text("'%s %S %u %U %d %D %1 %2 %%'", "joe@mail.org"),
            "'joe@mail.org joe@mail.org joe joe mail.org mail.org org mail %'");
}

TEST(QueryTemplate, WithoutAtTheUserIsTheWholeKey) { EXPECT_EQ(Text("'%u'", "joe"), "'joe'"); }

TEST(QueryTemplate, EscapesForALiteral) {
  EXPECT_EQ(Text("SELECT '%s'", "o'neil\\x"), "SELECT 'o''neil\\x'");
  EXPECT_EQ(Text("SELECT '%s'", "a\xff"), "(not escapable)");
}

TEST(QueryTemplate, AKeyIsNeverExpandedAgain) {
  EXPECT_EQ(Text("'%s'", "%u%%%d$1"), "'%u%%%d$1'");
  EXPECT_EQ(Bind("SELECT '%s'", "%u%%%d$1"), "SELECT $1 | %u%%%d$1");
}

TEST(QueryTemplate, RefusesOtherPlaceholdersWithTheirPlace) {
  for (const auto& [query, offset] : std::vector<std::pair<std::string, std::size_t>>{
           {"ab %x", 3}, {"%0", 0}, {"'%s' %", 5}, {"% s", 0}, {"%%%", 2}}) {
    auto result = QueryTemplate::Compile(query, UnquotedValues::kNumbers);
    ASSERT_TRUE(std::holds_alternative<TemplateError>(result)) << query;
    EXPECT_EQ(std::get<TemplateError>(result).offset, offset) << query;
    EXPECT_NE(std::get<TemplateError>(result).text.find("%%"), std::string::npos);
  }
}

TEST(QueryTemplate, KnowsWhatTheKeyMustHave) {
  EXPECT_EQ(Compiled("'%s'").requirements(), Requirements());
  EXPECT_EQ(Compiled("'%u'").requirements(), (Requirements{.user = true}));
  EXPECT_EQ(Compiled("'%D'").requirements(), (Requirements{.domain = true}));
  EXPECT_EQ(Compiled("'%1.%3.%2'").requirements(), (Requirements{.domain = true, .labels = 3}));
  EXPECT_EQ(Compiled("'%%u'").requirements(), Requirements());
}

TEST(QueryTemplate, EscapesBackslashesInAnEscapeLiteralToo) {
  EXPECT_EQ(Text("E'%s'", "a\\' OR 1=1 --"), "E'a\\\\'' OR 1=1 --'");
  EXPECT_EQ(Text("E'a\\\\%s'", "\\n"), "E'a\\\\\\\\n'");
  EXPECT_EQ(Text("E'%s'", "a\\b\\", Escaper(false)), "E'a\\\\b\\\\'");
}

TEST(QueryTemplate, ABackslashBeforeAPlaceholderCannotUndoAnEscape) {
  EXPECT_EQ(Text("E'\\%s'", "' OR 1=1"), "(not escapable)");
  EXPECT_EQ(Text("E'\\%s'", "\\x"), "(not escapable)");
  EXPECT_EQ(Text("E'\\%s'", "n'"), "E'\\n'''");
}

TEST(QueryTemplate, ABackslashThatMayBeHalfACharacterIsRefusedInAnEscapeLiteral) {
  EXPECT_EQ(Text("E'%s'", "\x83\\", Escaper(true, true)), "(not escapable)");
  EXPECT_EQ(Text("E'%s'", "a\\", Escaper(true, true)), "E'a\\\\'");
  EXPECT_EQ(Text("'%s'", "\x83\\", Escaper(true, true)), "'\x83\\'");
}

TEST(QueryTemplate, WithoutConformingStringsALiteralIsAnEscapeLiteral) {
  // With the setting off the first literal reaches to the quote behind x, and %s stands outside of
  // quotes.
  const std::string query = "SELECT 'a\\', '%s'";
  EXPECT_EQ(Text(query, "b", Escaper(true)), "SELECT 'a\\', 'b'");
  EXPECT_EQ(Text(query, "b", Escaper(false)), "(not a number)");
  EXPECT_TRUE(Compiled(query).depends_on_backslash_rule());
  EXPECT_EQ(Text("'\\%s'", "'", Escaper(false)), "(not escapable)");
  EXPECT_EQ(Text("'\\%s'", "'", Escaper(true)), "'\\'''");
  EXPECT_FALSE(Compiled("SELECT '%s' ~ '\\.'").depends_on_backslash_rule());
}

TEST(QueryTemplate, OutsideOfQuotesOnlyAPlainNumberIsInserted) {
  const std::string query = "SELECT x FROM t WHERE id = %s";
  EXPECT_EQ(Text(query, "42"), "SELECT x FROM t WHERE id = 42");
  EXPECT_EQ(Text(query, "-4.25"), "SELECT x FROM t WHERE id = -4.25");
  for (const char* key : {"1 OR 1=1", "x", "1e5", "0x1", "1.", ".5", "--1", "-", "1;", "+1", "1 "})
    EXPECT_EQ(Text(query, key), "(not a number)") << key;
}

TEST(QueryTemplate, ASignMustNotBeginACommentOrJoinAnOperator) {
  EXPECT_EQ(Text("SELECT 3-%s", "-1"), "(not a number)");
  EXPECT_EQ(Text("SELECT 3!=%s", "-1"), "(not a number)");
  EXPECT_EQ(Text("SELECT %u%d", "5@-1"), "(not a number)");
  EXPECT_EQ(Text("SELECT x=%s", "-1"), "SELECT x=-1");
  EXPECT_EQ(Text("SELECT x<=%s", "-1"), "SELECT x<=-1");
  EXPECT_EQ(Text("SELECT f(%s,%s)", "-1"), "SELECT f(-1,-1)");
}

TEST(QueryTemplate, UnquotedAnyInsertsAsStockDoes) {
  const QueryTemplate query = Compiled("SELECT %s", UnquotedValues::kAny);
  EXPECT_EQ(Text(query, "now() || 'x'"), "SELECT now() || ''x''");
}

TEST(QueryTemplate, OtherContextsAreEscapedAsLiterals) {
  EXPECT_EQ(Text("SELECT \"%s\" /* %s */ $$%s$$ U&'%s'", "a'\\"),
            "SELECT \"a''\\\" /* a''\\ */ $$a''\\$$ U&'a''\\'");
}

TEST(QueryTemplate, OpenPlaceholdersAreThoseOutsideOfLiterals) {
  for (const char* query :
       {"SELECT %s", "SELECT \"%s\"", "SELECT 1 -- %s", "SELECT $$%s$$", "SELECT t%s"})
    EXPECT_TRUE(Compiled(query).has_open_placeholder()) << query;
  for (const char* query : {"SELECT '%s'", "SELECT E'%s'", "SELECT U&'%s'", "SELECT 5 %% 2"})
    EXPECT_FALSE(Compiled(query).has_open_placeholder()) << query;
}

TEST(QueryTemplateBind, EachLiteralBecomesAParameterOfItsOwn) {
  EXPECT_EQ(Bind("SELECT goto FROM alias WHERE address='%s' OR address = '@%d' OR address='%s'",
                 "u@d.org"),
            "SELECT goto FROM alias WHERE address=$1 OR address = $2 OR address=$3"
            " | u@d.org | @d.org | u@d.org");
}

TEST(QueryTemplateBind, TheWholeExpandedLiteralIsBound) {
  EXPECT_EQ(Bind("SELECT '%u@%d'::citext, '%%%1%%'", "o'n\\eil@d.org"),
            "SELECT $1::citext, $2 | o'n\\eil@d.org | %org%");
}

TEST(QueryTemplateBind, DoubledQuotesAreUndoneInTheValue) {
  EXPECT_EQ(Bind("SELECT 'it''s %s'''", "k"), "SELECT $1 | it's k'");
}

TEST(QueryTemplateBind, LiteralsWithoutAPlaceholderStay) {
  EXPECT_EQ(Bind("SELECT 'it''s', 5 %% 2, '100%%' WHERE x LIKE '%%%s'", "k"),
            "SELECT 'it''s', 5 % 2, '100%' WHERE x LIKE $1 | %k");
  EXPECT_EQ(Bind("SELECT 1", "k"), "SELECT 1");
}

TEST(QueryTemplateBind, AContinuedLiteralIsOneParameter) {
  EXPECT_EQ(Bind("SELECT 'a%s' -- it's\n 'b%d''' AS x", "u@d"), "SELECT $1 AS x | au@dbd'");
}

TEST(QueryTemplateBind, QuotesElsewhereDoNotConfuse) {
  EXPECT_EQ(Bind("SELECT \"it's\", E'\\'', $$'$$ /* don't */ FROM t WHERE a='%s' -- isn't", "k"),
            "SELECT \"it's\", E'\\'', $$'$$ /* don't */ FROM t WHERE a=$1 -- isn't | k");
}

TEST(QueryTemplateBind, AParameterDoesNotRunIntoItsNeighbours) {
  EXPECT_EQ(Bind("SELECT x LIKE'%s'AND 1", "k"), "SELECT x LIKE $1 AND 1 | k");
}

TEST(QueryTemplateBind, ATrailingSemicolonIsOneStatement) {
  EXPECT_EQ(Bind("SELECT '%s'; -- done", "k"), "SELECT $1; -- done | k");
}

TEST(QueryTemplateBind, BehindTheseWordsALiteralHasNoType) {
  for (const char* query :
       {"SELECT 1 WHERE a BETWEEN '%s' AND '%s'",
        "SELECT CASE '%s' WHEN '%s' THEN '%s' ELSE '%s' END", "SELECT a ilike '%s' or not '%s'",
        "SELECT substring(x from '%s' for '%s')", "SELECT trim(both '%s' from x)",
        "SELECT 1 WHERE a IN ('%s','%d')", "SELECT a FROM t LIMIT '%s' OFFSET '%s'",
        "SELECT now() AT TIME ZONE '%s'", "SELECT f('%s', y => '%s')", "SELECT a[ '%s' ]",
        "SELECT a SIMILAR TO '%s'", "SELECT a IS DISTINCT FROM '%s'", "SELECT a ->> '%s'",
        "SELECT x || '%s' /* c */ || '%s'", "SELECT = /* c */ '%s'", "SELECT DISTINCT '%s'"})
    EXPECT_FALSE(StaysText(query)) << query << ": " << Compiled(query).text_reason();
}

TEST(QueryTemplateBind, TypedLiteralsStayText) {
  for (const char* query :
       {"SELECT text '%s'", "SELECT interval '%s' day", "SELECT date /* c */ '%s'",
        "SELECT timestamp with time zone '%s'", "SELECT timestamp(3) '%s'",
        "SELECT double precision '%s'", "SELECT \"Type\" '%s'", "SELECT s.t '%s'",
        "SELECT s.select '%s'", "SELECT varchar(5) '%s'", "SELECT x AS '%s'",
        "SELECT x FROM t ORDER BY '%s'", "SELECT x LIKE 'a' ESCAPE '%s'"})
    EXPECT_TRUE(StaysText(query)) << query;
}

TEST(QueryTemplateBind, OtherQuotingStaysText) {
  for (const char* query :
       {"SELECT E'%s'", "SELECT U&'%s'", "SELECT B'%s'", "SELECT N'%s'", "SELECT $t$%s$t$",
        "SELECT \"%s\"", "SELECT 1 -- %s", "SELECT 1 /* '%s' */", "SELECT %s", "SELECT '%s', %u",
        "SELECT E'a'\n'%s'"})
    EXPECT_TRUE(StaysText(query)) << query;
}

TEST(QueryTemplateBind, WhatIsNoSingleStatementStaysText) {
  EXPECT_EQ(Bind("SELECT 1; SELECT '%s'", "k"), "text: it holds several statements");
  EXPECT_EQ(Bind("-- SELECT '%s'", "k"), "text: it holds no statement");
  EXPECT_EQ(Bind("SELECT '%s", "k"), "text: a quote or comment is not closed");
  EXPECT_EQ(Bind("SELECT '%s' /* ", "k"), "text: a quote or comment is not closed");
}

TEST(QueryTemplateBind, AParameterOfItsOwnStaysText) {
  EXPECT_EQ(Bind("SELECT $2, '%s'", "k"), "text: it has a parameter of its own, $2");
  EXPECT_FALSE(StaysText("SELECT '$1 %s', \"$1\" /* $1 */"));
}

}  // namespace
}  // namespace proxymux::pgsql
