#include "pgsql/sql/sql_lexer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace proxymux::pgsql {
namespace {

using K = TokenKind;

struct Lexeme {
  TokenKind kind;
  std::string text;
  bool operator==(const Lexeme&) const = default;
};
void PrintTo(const Lexeme& lexeme, std::ostream* out) {
  *out << static_cast<int>(lexeme.kind) << ":" << lexeme.text;
}

std::vector<Lexeme> Lex(std::string_view text,
                        BackslashInLiteral backslash = BackslashInLiteral::kOrdinary) {
  std::vector<Lexeme> lexemes;
  for (const Token& token : LexSql(text, backslash))
    lexemes.push_back({token.kind, std::string(token.In(text))});
  return lexemes;
}
std::vector<std::string> Segments(std::string_view text) {
  std::vector<std::string> segments;
  for (const Token& segment : LiteralSegments(text, LexSql(text).at(0)))
    segments.emplace_back(segment.In(text));
  return segments;
}
using Lexemes = std::vector<Lexeme>;

TEST(SqlLexer, SplitsAnOrdinaryQuery) {
  EXPECT_EQ(Lex("SELECT a.b FROM t WHERE x='%s'::text;"), (Lexemes{{K::kIdentifier, "SELECT"},
                                                                   {K::kIdentifier, "a"},
                                                                   {K::kPunctuation, "."},
                                                                   {K::kIdentifier, "b"},
                                                                   {K::kIdentifier, "FROM"},
                                                                   {K::kIdentifier, "t"},
                                                                   {K::kIdentifier, "WHERE"},
                                                                   {K::kIdentifier, "x"},
                                                                   {K::kOperator, "="},
                                                                   {K::kLiteral, "'%s'"},
                                                                   {K::kOperator, "::"},
                                                                   {K::kIdentifier, "text"},
                                                                   {K::kPunctuation, ";"}}));
}

TEST(SqlLexer, DoubledQuotesStayInsideALiteral) {
  EXPECT_EQ(Lex("'it''s' ''"), (Lexemes{{K::kLiteral, "'it''s'"}, {K::kLiteral, "''"}}));
}

TEST(SqlLexer, ABackslashIsOrdinaryInAPlainLiteral) {
  EXPECT_EQ(Lex("'a\\' b"), (Lexemes{{K::kLiteral, "'a\\'"}, {K::kIdentifier, "b"}}));
  EXPECT_EQ(Lex("'a\\' b'", BackslashInLiteral::kEscapes), (Lexemes{{K::kLiteral, "'a\\' b'"}}));
}

TEST(SqlLexer, WhereABackslashEscapesInAPlainLiteralItDoesInANationalOneAndNoOther) {
  const auto lex = [](std::string_view text) { return Lex(text, BackslashInLiteral::kEscapes); };
  EXPECT_EQ(lex("N'a\\' b'"), (Lexemes{{K::kNationalLiteral, "N'a\\' b'"}}));
  EXPECT_EQ(lex("B'1\\' b"), (Lexemes{{K::kBitLiteral, "B'1\\'"}, {K::kIdentifier, "b"}}));
  EXPECT_EQ(lex("U&'a\\' b"), (Lexemes{{K::kUnicodeLiteral, "U&'a\\'"}, {K::kIdentifier, "b"}}));
}

TEST(SqlLexer, ABackslashEscapesInAnEscapeLiteral) {
  EXPECT_EQ(Lex("e'a\\'b''c\\\\' d"),
            (Lexemes{{K::kEscapeLiteral, "e'a\\'b''c\\\\'"}, {K::kIdentifier, "d"}}));
}

TEST(SqlLexer, AnEscapeLiteralStaysOneOverItsContinuation) {
  EXPECT_EQ(Lex("E'a'\n'b\\'c'"), (Lexemes{{K::kEscapeLiteral, "E'a'\n'b\\'c'"}}));
}

TEST(SqlLexer, PrefixesNeedTheQuoteAtOnceAndAWordOfTheirOwn) {
  EXPECT_EQ(Lex("B'01' x'1F' N'n' U&'\\0041' U&\"q\""),
            (Lexemes{{K::kBitLiteral, "B'01'"},
                     {K::kBitLiteral, "x'1F'"},
                     {K::kNationalLiteral, "N'n'"},
                     {K::kUnicodeLiteral, "U&'\\0041'"},
                     {K::kUnicodeIdentifier, "U&\"q\""}}));
  EXPECT_EQ(Lex("te'x'"), (Lexemes{{K::kIdentifier, "te"}, {K::kLiteral, "'x'"}}));
  EXPECT_EQ(Lex("e 'x'"), (Lexemes{{K::kIdentifier, "e"}, {K::kLiteral, "'x'"}}));
  EXPECT_EQ(Lex("u& 'x'"),
            (Lexemes{{K::kIdentifier, "u"}, {K::kOperator, "&"}, {K::kLiteral, "'x'"}}));
}

TEST(SqlLexer, BitLiteralsKnowNoDoubledQuote) {
  EXPECT_EQ(Lex("B'0''1'"), (Lexemes{{K::kBitLiteral, "B'0'"}, {K::kLiteral, "'1'"}}));
}

TEST(SqlLexer, ALiteralContinuesOnTheNextLine) {
  EXPECT_EQ(Lex("'a' \t\n\n 'b'"), (Lexemes{{K::kLiteral, "'a' \t\n\n 'b'"}}));
  EXPECT_EQ(Lex("'a' 'b'"), (Lexemes{{K::kLiteral, "'a'"}, {K::kLiteral, "'b'"}}));
  EXPECT_EQ(Lex("'a' /* */\n'b'").size(), 3u);
}

TEST(SqlLexer, ALineCommentMayStandBetweenContinuedSegments) {
  const std::string text = "'a' -- it's here\n  -- and 'there'\n'b''c'";
  EXPECT_EQ(Lex(text), (Lexemes{{K::kLiteral, text}}));
  EXPECT_EQ(Segments(text), (std::vector<std::string>{"a", "b''c"}));
}

TEST(SqlLexer, ASingleDashEndsALiteral) {
  EXPECT_EQ(
      Lex("'a'\n- 1\n'b'"),
      (Lexemes{
          {K::kLiteral, "'a'"}, {K::kOperator, "-"}, {K::kNumber, "1"}, {K::kLiteral, "'b'"}}));
}

TEST(SqlLexer, ASegmentThatIsNotClosedIsMarked) {
  const auto last = [](std::string_view text) {
    return LiteralSegments(text, LexSql(text).at(0)).back().unterminated;
  };
  EXPECT_TRUE(last("'abc"));
  EXPECT_TRUE(last("'a'\n'bc"));
  EXPECT_FALSE(last("'abc'"));
  EXPECT_FALSE(last("'a'\n'bc'"));
}

TEST(SqlLexer, WhiteSpaceAndColons) {
  EXPECT_EQ(Lex("a\vb\fc[1:2] := d"), (Lexemes{{K::kIdentifier, "a"},
                                               {K::kIdentifier, "b"},
                                               {K::kIdentifier, "c"},
                                               {K::kPunctuation, "["},
                                               {K::kNumber, "1"},
                                               {K::kPunctuation, ":"},
                                               {K::kNumber, "2"},
                                               {K::kPunctuation, "]"},
                                               {K::kOperator, ":="},
                                               {K::kIdentifier, "d"}}));
}

TEST(SqlLexer, LettersOfAsciiAreFoldedAndNothingElse) {
  EXPECT_EQ(LowerAscii("AZaz@[\xc3\x84"), "azaz@[\xc3\x84");
}

TEST(SqlLexer, SegmentsOfOneLiteral) {
  EXPECT_EQ(Segments("''"), (std::vector<std::string>{""}));
  EXPECT_EQ(Segments("'it''s' = 'x'"), (std::vector<std::string>{"it''s"}));
  EXPECT_EQ(Segments("'''' "), (std::vector<std::string>{"''"}));
}

TEST(SqlLexer, DollarQuotesEndAtTheirOwnTagOnly) {
  EXPECT_EQ(Lex("$$it's$$ $a$ $$ $b$ ' $a$ x"), (Lexemes{{K::kDollarLiteral, "$$it's$$"},
                                                         {K::kDollarLiteral, "$a$ $$ $b$ ' $a$"},
                                                         {K::kIdentifier, "x"}}));
}

TEST(SqlLexer, DollarSignsElsewhere) {
  EXPECT_EQ(Lex("$1 a$b$c $x"), (Lexemes{{K::kParameter, "$1"},
                                         {K::kIdentifier, "a$b$c"},
                                         {K::kOther, "$"},
                                         {K::kIdentifier, "x"}}));
  EXPECT_EQ(Lex("$1$$q$$"), (Lexemes{{K::kParameter, "$1"}, {K::kDollarLiteral, "$$q$$"}}));
}

TEST(SqlLexer, QuotedIdentifiersMayHoldApostrophes) {
  EXPECT_EQ(Lex("\"it's \"\"x\"\"\" 'y'"),
            (Lexemes{{K::kQuotedIdentifier, "\"it's \"\"x\"\"\""}, {K::kLiteral, "'y'"}}));
}

TEST(SqlLexer, CommentsMayHoldApostrophesAndNest) {
  EXPECT_EQ(Lex("/* it's /* 'nested */ still */ x -- don't\ny"),
            (Lexemes{{K::kComment, "/* it's /* 'nested */ still */"},
                     {K::kIdentifier, "x"},
                     {K::kComment, "-- don't"},
                     {K::kIdentifier, "y"}}));
}

TEST(SqlLexer, ACommentEndsAnOperator) {
  EXPECT_EQ(Lex("a=--b"),
            (Lexemes{{K::kIdentifier, "a"}, {K::kOperator, "="}, {K::kComment, "--b"}}));
  EXPECT_EQ(Lex("a*/*b*/c"), (Lexemes{{K::kIdentifier, "a"},
                                      {K::kOperator, "*"},
                                      {K::kComment, "/*b*/"},
                                      {K::kIdentifier, "c"}}));
}

TEST(SqlLexer, ASignBelongsToAnOperatorOnlyBehindSpecialCharacters) {
  EXPECT_EQ(Lex("=-5"), (Lexemes{{K::kOperator, "="}, {K::kOperator, "-"}, {K::kNumber, "5"}}));
  EXPECT_EQ(Lex("@-5"), (Lexemes{{K::kOperator, "@-"}, {K::kNumber, "5"}}));
}

TEST(SqlLexer, Numbers) {
  EXPECT_EQ(Lex("1 2.5 .5 3. 1e10 1.5E-3"), (Lexemes{{K::kNumber, "1"},
                                                     {K::kNumber, "2.5"},
                                                     {K::kNumber, ".5"},
                                                     {K::kNumber, "3."},
                                                     {K::kNumber, "1e10"},
                                                     {K::kNumber, "1.5E-3"}}));
  EXPECT_EQ(Lex("1..2"), (Lexemes{{K::kNumber, "1"}, {K::kOperator, ".."}, {K::kNumber, "2"}}));
  EXPECT_EQ(Lex("90 $90 a90"),
            (Lexemes{{K::kNumber, "90"}, {K::kParameter, "$90"}, {K::kIdentifier, "a90"}}));
}

// PostgreSQL 16 reads more of these as one number; 15 refuses what is glued to a number.
TEST(SqlLexer, WhatIsGluedToANumberIsAWordOfItsOwn) {
  EXPECT_EQ(Lex("7abc"), (Lexemes{{K::kNumber, "7"}, {K::kIdentifier, "abc"}}));
  EXPECT_EQ(Lex("0x1F"), (Lexemes{{K::kNumber, "0"}, {K::kIdentifier, "x1F"}}));
  EXPECT_EQ(Lex("1_000"), (Lexemes{{K::kNumber, "1"}, {K::kIdentifier, "_000"}}));
  EXPECT_EQ(Lex("1e"), (Lexemes{{K::kNumber, "1"}, {K::kIdentifier, "e"}}));
}

TEST(SqlLexer, ACommentBeginsInsideOfAnOperator) {
  EXPECT_EQ(Lex("3--1"), (Lexemes{{K::kNumber, "3"}, {K::kComment, "--1"}}));
  EXPECT_EQ(Lex("8/*2*/"), (Lexemes{{K::kNumber, "8"}, {K::kComment, "/*2*/"}}));
  EXPECT_EQ(Lex("@--x"), (Lexemes{{K::kOperator, "@"}, {K::kComment, "--x"}}));
  EXPECT_EQ(Lex("/*/*/**/*/ x */"), (Lexemes{{K::kComment, "/*/*/**/*/ x */"}}));
  EXPECT_EQ(Lex("/***/x"), (Lexemes{{K::kComment, "/***/"}, {K::kIdentifier, "x"}}));
}

TEST(SqlLexer, PlaceholdersAreOrdinaryBytesOfTheirToken) {
  EXPECT_EQ(Lex("'%u@%d' LIKE '%%%s'"),
            (Lexemes{{K::kLiteral, "'%u@%d'"}, {K::kIdentifier, "LIKE"}, {K::kLiteral, "'%%%s'"}}));
  EXPECT_EQ(Lex("a %% b")[1], (Lexeme{K::kOperator, "%%"}));
}

TEST(SqlLexer, BytesAboveAsciiBeginNames) {
  EXPECT_EQ(Lex("größe"), (Lexemes{{K::kIdentifier, "größe"}}));
}

TEST(SqlLexer, WhatIsNotClosedReachesTheEndAndIsMarked) {
  for (const char* text : {"x '", "x 'a''", "x E'a\\'", "x E'\\", "x \"a", "x /* /* */", "x $$a$",
                           "x U&'a", "x U&\"", "x 'a'\n'b"}) {
    const std::vector<Token> tokens = LexSql(text);
    ASSERT_EQ(tokens.size(), 2u) << text;
    EXPECT_TRUE(tokens[1].unterminated) << text;
    EXPECT_EQ(tokens[1].end, std::string_view(text).size()) << text;
  }
  EXPECT_FALSE(LexSql("-- to the end").at(0).unterminated);
}

// The text is a view: what stands behind it is not its own.
TEST(SqlLexer, NothingBehindTheTextIsRead) {
  for (const char* text : {"abc x", "'a''b' c", "'a'\n'b' 'c'", "'a' --x\n-- y\n'b'",
                           "$tag$a$tag$ b", "a - -- b", "1e5 x'0' E'\\'' U&'a' n'b' .5..6 :=::"}) {
    const std::string_view whole = text;
    for (std::size_t size = 0; size <= whole.size(); ++size) {
      const std::string alone(whole.substr(0, size));
      const std::vector<Token> tokens = LexSql(whole.substr(0, size));
      ASSERT_EQ(tokens, LexSql(alone)) << alone;
      for (const Token& token : tokens) {
        if (token.kind != K::kLiteral) continue;
        EXPECT_EQ(LiteralSegments(whole, token), LiteralSegments(alone, token)) << alone;
      }
    }
  }
}

TEST(SqlLexer, EveryByteIsInATokenOrWhiteSpace) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string text{static_cast<char>(first), static_cast<char>(second), 'x'};
      std::size_t at = 0;
      for (const Token& token : LexSql(text)) {
        ASSERT_LT(token.begin, token.end);
        for (; at < token.begin; ++at)
          ASSERT_NE(std::string(" \t\n\r\f\v").find(text[at]), std::string::npos);
        at = token.end;
      }
      ASSERT_EQ(at, text.size()) << first << " " << second;
    }
  }
}

}  // namespace
}  // namespace proxymux::pgsql
