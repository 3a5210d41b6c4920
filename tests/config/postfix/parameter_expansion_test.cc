#include "config/postfix/parameter_expansion.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <utility>

namespace proxymux::config {
namespace {

ParameterExpansion Expand(std::string_view text, std::map<std::string, std::string> values = {}) {
  values.try_emplace("mydomain", "example.com");
  values.try_emplace("myhostname", "mail.$mydomain");
  values.try_emplace("empty", "");
  return ExpandParameters(text, [&](const std::string& name) -> std::optional<std::string> {
    const auto at = values.find(name);
    if (at == values.end()) return std::nullopt;
    return at->second;
  });
}

// Every expected text here is what `postconf -x` of Postfix 3.7 prints.
TEST(ParameterExpansion, PlainAndBracketedNames) {
  EXPECT_EQ(Expand("$mydomain").text, "example.com");
  EXPECT_EQ(Expand("${mydomain} $(mydomain)x ${ mydomain }").text,
            "example.com example.comx example.com");
  EXPECT_EQ(Expand("$mydomain.x $mydomain-y").text, "example.com.x example.com-y");
  EXPECT_EQ(Expand("a $$ b $$mydomain").text, "a $ b $mydomain");
  EXPECT_EQ(Expand("[$nosuch][$1x]").text, "[][]");
}

TEST(ParameterExpansion, InsertedTextIsExpandedInTurn) {
  EXPECT_EQ(Expand("$myhostname").text, "mail.example.com");
  EXPECT_EQ(Expand("${a}", {{"a", "$b!"}, {"b", "$$"}}).text, "$!");
}

TEST(ParameterExpansion, ConditionalText) {
  EXPECT_EQ(Expand("${mydomain?yes $myhostname}").text, "yes mail.example.com");
  EXPECT_EQ(Expand("${nosuch?x}|${empty?x}|${mydomain?}").text, "||");
  EXPECT_EQ(Expand("${nosuch:fallback}|${empty:fallback}|${mydomain:x}").text,
            "fallback|fallback|");
  // Without braces everything up to the end belongs to the text.
  EXPECT_EQ(Expand("${mydomain?a:b}").text, "a:b");
  EXPECT_EQ(Expand("${nosuch?a:b}").text, "");
}

TEST(ParameterExpansion, ConditionalTextInBraces) {
  EXPECT_EQ(Expand("${mydomain?{yes}:{no}}").text, "yes");
  EXPECT_EQ(Expand("${nosuch?{yes}:{no}}").text, "no");
  EXPECT_EQ(Expand("${mydomain ? {a} : {b}}").text, "a");
  EXPECT_EQ(Expand("${nosuch?{a}:b c}").text, "b c");
  EXPECT_EQ(Expand("${mydomain:{x}}").text, "");
  EXPECT_EQ(Expand("${nosuch:{x ${mydomain?{y}}}}").text, "x y");
}

TEST(ParameterExpansion, Comparisons) {
  EXPECT_EQ(Expand("${{$mydomain} == {example.com} ? {eq} : {ne}}").text, "eq");
  EXPECT_EQ(Expand("${{$mydomain} != {example.com} ? {ne} : {eq}}").text, "eq");
  EXPECT_EQ(Expand("${{2} < {10} ? {less}}").text, "less") << "numbers, not text";
  EXPECT_EQ(Expand("${{2x} < {10} ? {less}}").text, "") << "text, not numbers";
  EXPECT_EQ(Expand("${{10} > {9}}").text, "true");
  EXPECT_EQ(Expand("${{10} > {9}:no}").text, "");
  EXPECT_EQ(Expand("${{007} == {7} ? {same}}").text, "same");
  EXPECT_EQ(Expand("${{99999999999999999999} >= {99999999999999999998} ? {big}}").text, "big");
  EXPECT_EQ(Expand("${{1} <= {1} ? {x}}").text, "x");
}

TEST(ParameterExpansion, CompatibilityLevels) {
  EXPECT_EQ(Expand("${{3.10} >level {3.9} ? {newer}}").text, "newer");
  EXPECT_EQ(Expand("${{3.10} > {3.9} ? {newer}}").text, "") << "text";
  EXPECT_EQ(Expand("${{2} ==level {2.0.0} ? {same}}").text, "same");
  EXPECT_EQ(Expand("${{0} <level {1} ? {yes} : {no}}").text, "yes");
  EXPECT_EQ(Expand("${{3.6} <level {3.6} ? {yes} : {no}}").text, "no");
  for (const std::string_view text : {"${{} <level {1}}", "${{1.x} <level {1}}",
                                      "${{1.2.3.4} <level {1}}", "${{1} <levels {1}}"}) {
    EXPECT_FALSE(Expand(text).error.empty()) << text;
  }
}

TEST(ParameterExpansion, SyntaxErrorsAreErrors) {
  for (const std::string_view text :
       {"a$", "a$-b", "${", "${}", "$()", "${mydomain", "$(mydomain", "${my-domain}", "${{a}}",
        "${{a} =! {b}}", "${{a} == b}", "${mydomain?{a}b}", "${nosuch?{a}{b}}", "${nosuch:{a}b}",
        "${{a} == {b} x}", "${mydomain?{a}:{b}c}", "${lower{x}}", "${?x}", "${mydomain?{a}"}) {
    EXPECT_FALSE(Expand(text).error.empty()) << text;
  }
}

// Passwords and connection strings are values too.
TEST(ParameterExpansion, ErrorsShowNothingOfTheText) {
  for (const std::string_view text :
       {"secret$", "secret${x", "secret${?secret}", "${secret-y}", "${{secret}}", "${x?{a}secret}",
        "${{1} == {2} secret}", "${x:{a}secret}", "${x secret}"}) {
    const ParameterExpansion expansion = Expand(text);
    EXPECT_FALSE(expansion.error.empty()) << text;
    EXPECT_EQ(expansion.error.find("secret"), std::string::npos) << expansion.error;
  }
}

TEST(ParameterExpansion, AnErrorNamesTheParameterThatHasIt) {
  EXPECT_EQ(Expand("$a", {{"a", "$b $b"}, {"b", "x$"}}).error,
            "a \"$\" without a name behind it, in the value of b");
  EXPECT_EQ(Expand("$a$", {{"a", "x"}}).error, "a \"$\" without a name behind it");
}

TEST(ParameterExpansion, WhatCannotBeExpandedCostsItselfAndNoMore) {
  const auto shown = [](std::string_view text, std::map<std::string, std::string> values) {
    std::string out = Expand(text, std::move(values)).text;
    std::ranges::replace(out, kMissing, '?');
    return out;
  };
  EXPECT_EQ(shown("one ${mydomain-x} $a three", {{"a", "two ${lower{x}} $"}}),
            "one ? two ? ? three");
  EXPECT_EQ(shown("one $a three", {{"a", "two ${mydomain"}}), "one two ? three");
  EXPECT_EQ(shown("one $a two", {{"a", "<$b$c>"}, {"b", "$a"}, {"c", "c"}}), "one <?c> two");
  // Nothing is decided by what is there in part only.
  EXPECT_EQ(shown("[${{$a} == {} ? {same} : {other}}]", {{"a", "${lower{x}}"}}), "[?]");
  EXPECT_EQ(shown("[${domain_to_ascii{a$b}}]", {{"b", "${lower{x}}"}}), "[?]");
}

// As `postconf -x` of Postfix 3.11 prints them.
TEST(ParameterExpansion, NamesOfDomainsInAnotherForm) {
  EXPECT_EQ(Expand("${domain_to_ascii{b\u00fccher.example}}").text, "xn--bcher-kva.example");
  EXPECT_EQ(Expand("${domain_to_ascii{stra\u00dfe.example}}").text, "xn--strae-oqa.example");
  EXPECT_EQ(Expand("${domain_to_ascii{$a}}", {{"a", "mail.$mydomain"}}).text, "mail.example.com");
  EXPECT_EQ(Expand("${domain_to_utf8{xn--bcher-kva.example}}").text, "b\u00fccher.example");
  EXPECT_EQ(Expand("${domain_to_utf8{b\u00fccher.example}}").text, "b\u00fccher.example");
  EXPECT_EQ(Expand("${domain_to_ascii{}}|${domain_to_ascii{x}?{yes}:{no}}").text, "|yes");
  const ParameterExpansion bad =
      Expand("a ${domain_to_utf8{xn--\u00fc}} b ${domain_to_ascii{\xff}}");
  EXPECT_EQ(bad.text, std::string("a xn--\u00fc b ") + kMissing);
  EXPECT_FALSE(bad.error.empty());
  for (const char* none : {"b\u00fccher.example, proxy:pgsql:/x", "a b", "a..b", "a.b.", "{a",
                           "a:b", "b\u00fccher.example/x", "a,b"}) {
    EXPECT_EQ(Expand("${domain_to_ascii{" + std::string(none) + "}}").text,
              std::string(1, kMissing))
        << none;
  }
}

TEST(ParameterExpansion, TheUntakenBranchIsNotLookedInto) {
  EXPECT_TRUE(Expand("${mydomain?{a}:{$}}").error.empty());
}

TEST(ParameterExpansion, AParameterThatRefersToItselfIsAnError) {
  EXPECT_FALSE(Expand("$a", {{"a", "$b"}, {"b", "x$a"}}).error.empty());
  EXPECT_FALSE(Expand("${a?{x$a}}", {{"a", "${a?{x$a}}"}}).error.empty());
}

TEST(ParameterExpansion, WhatDoublesAtEveryLevelIsBounded) {
  std::map<std::string, std::string> values;
  for (int i = 0; i < 60; ++i) {
    const std::string next = "v" + std::to_string(i + 1);
    values["v" + std::to_string(i)] = "$" + next + "$" + next;
  }
  values["v60"] = "";
  EXPECT_FALSE(Expand("$v0", values).error.empty()) << "2^60 empty references";
  EXPECT_FALSE(Expand("$x$x$x", {{"x", std::string(500000, 'x')}}).error.empty());
  EXPECT_FALSE(Expand(std::string(100001, '$') + std::string(100000, '{')).error.empty());
  // What it broke off in is not what somebody meant.
  const std::string cut = Expand("a table$x$x$x, b", {{"x", std::string(500000, 'x')}}).text;
  EXPECT_EQ(cut.find(kMissing), cut.size() - 1);
  EXPECT_TRUE(Expand("table$v0", values).text.ends_with(kMissing));
}

}  // namespace
}  // namespace proxymux::config
