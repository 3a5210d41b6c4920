// What a server is shown of a template, and where in the template its findings are.
#include "pgsql/sql/trial_statement.h"

#include <gtest/gtest.h>

#include <string>
#include <variant>

namespace proxymux::pgsql {
namespace {

QueryTemplate Compiled(const std::string& query) {
  return std::get<QueryTemplate>(QueryTemplate::Compile(query, UnquotedValues::kAny));
}

// With parameters where that can be.
TrialStatement Trial(const QueryTemplate& query, Bound bound = Bound::kInQuotes) {
  return query.bind(bound).possible() ? TrialStatement(query, bound) : TrialStatement(query);
}

// What the template has where the trial has `word`.
std::string InTemplate(const std::string& query, const std::string& word,
                       Bound bound = Bound::kInQuotes) {
  const QueryTemplate compiled = Compiled(query);
  const TrialStatement trial = Trial(compiled, bound);
  const std::size_t at = trial.sql().find(word);
  EXPECT_NE(at, std::string::npos) << trial.sql();
  return query.substr(trial.InTemplate(at), word.size());
}

TEST(TrialStatement, HasParametersWhereTheTemplateCanBeBound) {
  const QueryTemplate query = Compiled("SELECT v FROM t WHERE k='%s' AND d = '%u@%d' LIMIT 10%%3");
  const TrialStatement trial(query, Bound::kInQuotes);
  EXPECT_EQ(trial.sql(), "SELECT v FROM t WHERE k=$1 AND d = $2 LIMIT 10%3");
  EXPECT_EQ(trial.parameters(), 2U);
}

TEST(TrialStatement, HasTheSampleOtherwise) {
  const QueryTemplate query = Compiled("SELECT v FROM t%d WHERE k = '%s%%' AND n = %u");
  const TrialStatement trial(query);
  EXPECT_EQ(trial.sql(), "SELECT v FROM t7 WHERE k = '7%' AND n = 7");
  EXPECT_EQ(trial.parameters(), 0U);
}

TEST(TrialStatement, PlacesAreThoseOfTheTemplate) {
  for (const char* word : {"SELECT", "goto", "alias", "addres", "activ", "%5", "tail"}) {
    const std::string query =
        "SELECT goto FROM alias WHERE addres='%u@%d' AND 'a%%' = '%s' AND activ %%5 = tail";
    std::string expected = word;
    if (expected == "%5") expected = "%%";
    EXPECT_EQ(InTemplate(query, word), expected) << word;
  }
  for (const char* word : {"SELECT", "goto", "addres", "tail"}) {
    EXPECT_EQ(InTemplate("SELECT goto FROM t%d WHERE 'a%%%%' = '%s' AND addres = %u + tail", word),
              word);
  }
}

TEST(TrialStatement, AParameterStandsForItsWholeLiteral) {
  EXPECT_EQ(InTemplate("SELECT v FROM t WHERE k = '%u@%d' AND x", "$1"), "'%");
  EXPECT_EQ(InTemplate("SELECT v FROM t WHERE k = '%u@%d' AND tail", "tail"), "tail");
}

TEST(TrialStatement, ParametersOutsideOfQuotes) {
  const std::string query = "SELECT goto FROM t WHERE n = %u AND k = '%s' AND c = '$1' AND tail";
  const QueryTemplate compiled = Compiled(query);
  ASSERT_TRUE(compiled.bind(Bound::kEverywhere).possible());
  EXPECT_EQ(TrialStatement(compiled, Bound::kEverywhere).sql(),
            "SELECT goto FROM t WHERE n = $1 AND k = $2 AND c = '$1' AND tail");
  EXPECT_EQ(InTemplate(query, "$1", Bound::kEverywhere), "%u");
  EXPECT_EQ(InTemplate(query, "$2", Bound::kEverywhere), "'%");
  for (const char* word : {"goto", "'$1'", "tail"}) {
    EXPECT_EQ(InTemplate(query, word, Bound::kEverywhere), word);
  }
}

TEST(TrialStatement, OneThatCanBeBoundCanBeShownWithTheSampleToo) {
  const QueryTemplate query = Compiled("SELECT v FROM t WHERE k='%u@%d'");
  const TrialStatement trial(query);
  EXPECT_EQ(trial.sql(), "SELECT v FROM t WHERE k='7@7'");
  EXPECT_EQ(query.source().substr(trial.InTemplate(trial.sql().find("@7"))), "@%d'");
}

TEST(TrialStatement, NamesThatDependOnTheKey) {
  const QueryTemplate query =
      Compiled("SELECT v FROM alias_%d JOIN \"%u\" WHERE k = '%s' AND n = %u");
  const TrialStatement trial(query);
  const auto depends = [&](const char* word) { return trial.DependsOnKey(trial.sql().find(word)); };
  EXPECT_TRUE(depends("alias_7"));
  EXPECT_TRUE(depends("_7"));
  EXPECT_TRUE(depends("\"7"));
  EXPECT_TRUE(depends("'7'"));
  for (const char* word : {"SELECT", "v FROM", "JOIN", "k =", "n ="}) {
    EXPECT_FALSE(depends(word)) << word;
  }
  EXPECT_FALSE(trial.DependsOnKey(9999));
  const QueryTemplate bound = Compiled("SELECT v FROM t WHERE k = '%s'");
  const TrialStatement with_parameter(bound, Bound::kInQuotes);
  EXPECT_FALSE(with_parameter.DependsOnKey(with_parameter.sql().find("$1")));
}

TEST(TrialStatement, BehindTheEndIsTheEnd) {
  for (const char* text : {"SELECT '%s'", "SELECT %s"}) {
    const QueryTemplate query = Compiled(text);
    const TrialStatement trial = Trial(query);
    EXPECT_EQ(trial.InTemplate(trial.sql().size()), query.source().size());
    EXPECT_EQ(trial.InTemplate(9999), query.source().size());
  }
}

}  // namespace
}  // namespace proxymux::pgsql
