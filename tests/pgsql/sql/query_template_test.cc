// A query that is compiled, and keys that are written into it as text: none of them changes more
// than its own token.
#include "pgsql/sql/query_template.h"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "tests/pgsql/sql/compiled_query.h"

namespace proxymux::pgsql {
namespace {

// Escapes as libpq does with standard_conforming_strings on, or off. In `wide` encodings each byte
// above ASCII takes the next one with it.
class Escaper : public LiteralEscaper {
 public:
  explicit Escaper(bool conforming = true, bool wide = false)
      : conforming_(conforming), wide_(wide) {}
  bool Escape(std::string_view in, std::string* out) override {
    while (!in.empty()) {
      if (in.front() == '\xff') return false;
      const bool ascii = static_cast<unsigned char>(in.front()) < 0x80;
      const std::size_t length = ascii ? 1 : CharacterLength(in);
      if (in.front() == '\'' || (in.front() == '\\' && !conforming_)) out->push_back(in.front());
      out->append(in.substr(0, length));
      in.remove_prefix(length);
    }
    return true;
  }
  bool DoublesBackslashes() const override { return !conforming_; }
  std::size_t CharacterLength(std::string_view text) const override {
    return wide_ && text.size() > 1 ? 2 : 1;
  }

 private:
  bool conforming_;
  bool wide_;
};

std::string Text(const QueryTemplate& query, std::string_view key, Escaper escaper = Escaper()) {
  std::string out;
  switch (query.AppendText(KeyParts(key), escaper, &out)) {
    case Expansion::kDone:
      return out;
    case Expansion::kNotEscapable:
      return "(not escapable)";
    case Expansion::kNotANumber:
      return "(not a number)";
    case Expansion::kLeavesToken:
      return "(leaves its token)";
  }
  return "";
}
std::string Text(std::string_view query, std::string_view key, Escaper escaper = Escaper()) {
  return Text(Compiled(query), key, escaper);
}

TEST(QueryTemplate, ExpandsEveryPlaceholder) {
  EXPECT_EQ(Text("'%s %S %u %U %d %D %1 %2 %%'", "joe@mail.org"),
            "'joe@mail.org joe@mail.org joe joe mail.org mail.org org mail %'");
}

TEST(QueryTemplate, WithoutAtTheUserIsTheWholeKey) { EXPECT_EQ(Text("'%u'", "joe"), "'joe'"); }

TEST(QueryTemplate, EscapesForALiteral) {
  EXPECT_EQ(Text("SELECT '%s'", "o'neil"), "SELECT 'o''neil'");
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
  EXPECT_EQ(Text("E'\\%s'", "' OR 1=1"), "(leaves its token)");
  EXPECT_EQ(Text("E'\\%s'", "\\x"), "(leaves its token)");
  EXPECT_EQ(Text("E'\\%s'", "n'"), "E'\\n'''");
}

TEST(QueryTemplate, ABackslashThatIsHalfACharacterIsNotDoubled) {
  EXPECT_EQ(Text("E'%s'", "\x83\\", Escaper(true, true)), "E'\x83\\'");
  EXPECT_EQ(Text("E'%s'", "\x83\\\\", Escaper(true, true)), "E'\x83\\\\\\'");
  EXPECT_EQ(Text("E'%s'", "a\\", Escaper(true, true)), "E'a\\\\'");
  EXPECT_EQ(Text("'%s'", "\x83\\", Escaper(true, true)), " E'\x83\\'");
  EXPECT_EQ(Text("E'\x83\\', '%s'", "a", Escaper(true, true)), "E'\x83\\', 'a'");
  EXPECT_EQ(Text("E'\x83\\%s'", "'", Escaper(true, true)), "E'\x83\\'''");
  EXPECT_EQ(Text("'\x83\\%s'", "b", Escaper(true, true)), " E'\x83\\b'");
  EXPECT_EQ(Text("'\x83\\%s'", "b", Escaper(false, true)), " E'\x83\\b'");
}

TEST(QueryTemplate, ATemplatesHalfCharacterTakesNothingOfTheKey) {
  // libpq takes the quote for the second half of a character, the server the byte before it.
  EXPECT_EQ(Text("'\x83%s'", "\xe3' OR true --", Escaper(true, true)), "(leaves its token)");
  EXPECT_EQ(Text("E'\x83%s'", "\\", Escaper(true, true)), "(leaves its token)");
  EXPECT_EQ(Text("'\x80%s'", "\xe3' OR true --", Escaper(true, true)), "(leaves its token)");
  EXPECT_EQ(Text("'\x83%s'", "\\", Escaper(true, true)), "(leaves its token)");
  EXPECT_EQ(Text("'\x83%s'", "\\", Escaper(false, true)), "(leaves its token)");
}

// The server may read the statement under the other setting than the one that was known.
TEST(QueryTemplate, APlainLiteralWithABackslashMeansTheSameUnderBothSettings) {
  for (const bool conforming : {true, false}) {
    EXPECT_EQ(Text("SELECT x LIKE'%s'", "o'n\\x", Escaper(conforming)),
              "SELECT x LIKE E'o''n\\\\x'");
    EXPECT_EQ(Text("SELECT N'%s'", "n\\", Escaper(conforming)), "SELECT  NCHAR E'n\\\\'");
    EXPECT_EQ(Text("SELECT '%u'\n'%d'", "a@b\\", Escaper(conforming)), "SELECT  E'a'\n'b\\\\'");
  }
  EXPECT_EQ(Text("SELECT '%s' ~ '\\.'", "b", Escaper(true)), "SELECT  E'b' ~  E'\\\\.'");
  EXPECT_EQ(Text("SELECT '%s' ~ '\\.'", "b", Escaper(false)), "SELECT  E'b' ~  E'\\.'");
  EXPECT_EQ(Text("SELECT '%s', 'x'", "\\"), "SELECT  E'\\\\', 'x'");
}

TEST(QueryTemplate, WithoutConformingStringsALiteralIsAnEscapeLiteral) {
  // With the setting off the first literal reaches to the quote behind x, and %s stands outside of
  // quotes.
  const std::string query = "SELECT 'a\\', '%s'";
  EXPECT_EQ(Text(query, "b", Escaper(true)), "SELECT  E'a\\\\',  E'b'");
  EXPECT_EQ(Text(query, "b", Escaper(false)), "(not a number)");
  EXPECT_TRUE(Compiled(query).depends_on_backslash_rule());
  EXPECT_EQ(Text("'\\%s'", "'", Escaper(false)), "(leaves its token)");
  EXPECT_EQ(Text("'\\%s'", "'", Escaper(true)), " E'\\\\'''");
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
  EXPECT_EQ(Text("%s", "-1"), "-1");
  EXPECT_EQ(Text("SELECT x<=%s", "-1"), "SELECT x<=-1");
  EXPECT_EQ(Text("SELECT f(%s,%s)", "-1"), "SELECT f(-1,-1)");
}

TEST(QueryTemplate, UnquotedAnyInsertsAsStockDoes) {
  const QueryTemplate query = Compiled("SELECT %s", UnquotedValues::kAny);
  EXPECT_EQ(Text(query, "now() || 'x'"), "SELECT now() || ''x''");
}

TEST(QueryTemplate, UnquotedAnyConcernsNoOtherPlace) {
  const QueryTemplate query = Compiled("SELECT /* %s */ 1", UnquotedValues::kAny);
  EXPECT_EQ(Text(query, "*/ 2"), "(leaves its token)");
}

TEST(QueryTemplate, OtherContextsAreEscapedAsLiterals) {
  EXPECT_EQ(Text("SELECT \"%s\" /* %s */ $$%s$$ U&'%s'", "a'\\"),
            "SELECT \"a''\\\" /* a''\\ */ $$a''\\$$ U&'a''\\'");
}

TEST(QueryTemplate, AKeyStaysInItsToken) {
  const auto leaves = [](std::string_view query, const std::vector<std::string>& keys) {
    for (const std::string& key : keys) {
      EXPECT_EQ(Text(query, key), "(leaves its token)") << query << " " << key;
    }
  };
  leaves("SELECT /* %s */ x", {"*/ y", "*/", "/*", "a/*b", "*/ y /*"});
  leaves("SELECT /*%s/ x */ y", {"*"});
  leaves("SELECT x -- %s\n, y", {"a\nb", "\r", "a\n--"});
  leaves("SELECT $$%s$$", {"a$$b", "$$", "x$$ or a=$$y", "a$"});
  leaves("SELECT $t$%s$t$", {"$t$", "$t$ || $t$"});
  leaves("SELECT $t%s$x$t%s$", {"$", "$x$t$y", " ", "a b"});
  leaves("SELECT \"%s\"", {"\"", "x\" from y -- ", "x\" \"y"});
  leaves("SELECT U&\"%s\"", {"\"", "x\" from y -- "});
  leaves("SELECT B'%s', X'%s'", {"'", "0' || '1"});
  leaves("SELECT %u.%d", {"1@2.5"});
  leaves("SELECT t%s", {"1.5"});
  leaves("SELECT $%s", {"1.5"});
  for (const auto& [query, key, text] : std::vector<std::array<std::string, 3>>{
           {"SELECT /* %s */ x", "/ * '", "SELECT /* / * '' */ x"},
           {"SELECT /* %s */ x", "/* */", "SELECT /* /* */ */ x"},
           {"SELECT x -- %s", "*/ --", "SELECT x -- */ --"},
           {"SELECT $$%s$$", "a$b", "SELECT $$a$b$$"},
           {"SELECT $t$%s$t$", "$$", "SELECT $t$$$$t$"},
           {"SELECT \"%s\"", "a\"\"b", "SELECT \"a\"\"b\""},
           {"SELECT B'%s'", "01", "SELECT B'01'"},
           {"SELECT t%s, %s", "10", "SELECT t10, 10"},
           {"SELECT 0x%s, 1e%s, %s_0", "10", "SELECT 0x10, 1e10, 10_0"}}) {
    EXPECT_EQ(Text(query, key), text);
  }
}

TEST(QueryTemplate, OpenPlaceholdersAreThoseThatDecideWhatIsDone) {
  for (const char* query :
       {"SELECT \"%s\"", "SELECT $$%s$$", "SELECT t%s", "DO $$%s$$", "SELECT $%s"})
    EXPECT_TRUE(Compiled(query).has_open_placeholder()) << query;
  for (const char* query : {"SELECT '%s'", "SELECT E'%s'", "SELECT U&'%s'", "SELECT 5 %% 2",
                            "SELECT %s", "SELECT 1 -- %s", "SELECT 1%s"})
    EXPECT_FALSE(Compiled(query).has_open_placeholder()) << query;
  EXPECT_TRUE(Compiled("SELECT %s", UnquotedValues::kAny).has_open_placeholder());
}

TEST(QueryTemplate, SaysWhereKeysMayBeRefused) {
  for (const auto& [query, offset, words] :
       std::vector<std::tuple<std::string, std::size_t, std::string>>{
           {"SELECT '%%' WHERE id = %s OR n = %u", 23, "outside of quotes: a key that is not"},
           {"SELECT /* %s */ 1", 10, "in a comment"},
           {"SELECT $$%s$$", 9, "in a dollar-quoted literal"},
           {"SELECT \"%s\"", 8, "in a quoted identifier"},
           {"SELECT E'\\%s'", 10, "follows a backslash"}}) {
    const QueryTemplate compiled = Compiled(query);
    ASSERT_EQ(compiled.cautions().size(), 1U) << query;
    EXPECT_EQ(compiled.cautions()[0].offset, offset) << query;
    EXPECT_NE(compiled.cautions()[0].text.find(words), std::string::npos)
        << compiled.cautions()[0].text;
  }
  EXPECT_NE(Compiled("SELECT %s", UnquotedValues::kAny).cautions().at(0).text.find("is any"),
            std::string::npos);
  for (const char* query : {"SELECT '%s'", "SELECT E'\\\\%s'", "SELECT N'%s'", "SELECT 5 %% 2"})
    EXPECT_TRUE(Compiled(query).cautions().empty()) << query;
}

}  // namespace
}  // namespace proxymux::pgsql
