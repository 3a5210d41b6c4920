// How a table's lookups reach the server, and what a refusal changes.

#include "pgsql/table/statement_plan.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "pgsql/sql/sql_lexer.h"

namespace proxymux::pgsql {
namespace {

using config::StatementMode;

constexpr char kSimple[] = "SELECT v FROM t WHERE k = '%s' OR k = '@%d'";
constexpr char kLimited[] = "SELECT v FROM t WHERE k = '%s' LIMIT 1";
constexpr char kEscaped[] = "SELECT v FROM t WHERE k = E'%s'";

StatementPlan Plan(const std::string& query, StatementMode mode) {
  const auto compiled = QueryTemplate::Compile(query, UnquotedValues::kNumbers);
  const auto& good = std::get<QueryTemplate>(compiled);
  return StatementPlan(good, ClassifyStatement(query, good.tokens(), false), mode);
}

StatementForm FormOf(const std::string& query, StatementMode mode) {
  return Plan(query, mode).form(Time());
}

TEST(StatementPlan, ModeAndQueryDecide) {
  EXPECT_EQ(StatementPlan().form(Time()), StatementForm::kText);
  EXPECT_EQ(FormOf(kSimple, StatementMode::kAuto), StatementForm::kPrepared);
  EXPECT_EQ(FormOf(kSimple, StatementMode::kPrepared), StatementForm::kPrepared);
  EXPECT_EQ(FormOf(kSimple, StatementMode::kParameterized), StatementForm::kParameterized);
  EXPECT_EQ(FormOf(kSimple, StatementMode::kLegacy), StatementForm::kText);
  EXPECT_EQ(FormOf(kLimited, StatementMode::kAuto), StatementForm::kText);
  EXPECT_EQ(FormOf(kLimited, StatementMode::kPrepared), StatementForm::kPrepared);
  EXPECT_EQ(FormOf(kEscaped, StatementMode::kPrepared), StatementForm::kText);
}

TEST(StatementPlan, OnlyAnExplicitModeBindsOutsideOfQuotes) {
  constexpr char kNumber[] = "SELECT v FROM t WHERE id = %s";
  EXPECT_EQ(FormOf(kNumber, StatementMode::kAuto), StatementForm::kText);
  EXPECT_EQ(FormOf(kNumber, StatementMode::kLegacy), StatementForm::kText);
  EXPECT_EQ(FormOf(kNumber, StatementMode::kPrepared), StatementForm::kPrepared);
  EXPECT_EQ(FormOf(kNumber, StatementMode::kParameterized), StatementForm::kParameterized);
  const StatementPlan plan = Plan(kNumber, StatementMode::kPrepared);
  EXPECT_EQ(plan.sql(), "SELECT v FROM t WHERE id = $1");
  EXPECT_EQ(plan.types().size(), 1U);
  EXPECT_EQ(plan.bound(), Bound::kEverywhere);
  EXPECT_EQ(Plan(kSimple, StatementMode::kAuto).bound(), Bound::kInQuotes);
  EXPECT_EQ(Plan(kNumber, StatementMode::kAuto).text_reason(),
            "a placeholder stands outside of quotes");
}

TEST(StatementPlan, TextHasAReason) {
  EXPECT_EQ(Plan(kSimple, StatementMode::kAuto).text_reason(), "");
  EXPECT_EQ(Plan(kSimple, StatementMode::kLegacy).text_reason(), "statement_mode is legacy");
  EXPECT_EQ(Plan(kLimited, StatementMode::kAuto).text_reason(), "it has LIMIT");
  EXPECT_EQ(Plan(kEscaped, StatementMode::kPrepared).text_reason(),
            "a placeholder stands in E'...'");
}

TEST(StatementPlan, TheNameTellsTheStatement) {
  const StatementPlan one = Plan(kSimple, StatementMode::kAuto);
  const StatementPlan same = Plan(kSimple, StatementMode::kPrepared);
  const StatementPlan other = Plan(kLimited, StatementMode::kPrepared);
  EXPECT_EQ(one.sql(), "SELECT v FROM t WHERE k = $1 OR k = $2");
  EXPECT_EQ(one.types().size(), 2U);
  EXPECT_EQ(one.name(), same.name());
  EXPECT_NE(one.name(), other.name());
  EXPECT_TRUE(one.name().starts_with("proxymux_")) << one.name();
  EXPECT_LE(one.name().size(), 50U);  // with a suffix still below NAMEDATALEN
}

TEST(StatementPlan, AParameterWithoutATypeIsDeclaredTextOnce) {
  StatementPlan plan = Plan(kSimple, StatementMode::kAuto);
  const std::string before = plan.name();
  plan.OnUntyped("could not determine data type of parameter $2");
  EXPECT_EQ(std::vector<std::uint32_t>(plan.types().begin(), plan.types().end()),
            (std::vector<std::uint32_t>{0, 25}));
  EXPECT_NE(plan.name(), before);
  EXPECT_EQ(plan.form(Time()), StatementForm::kPrepared);
  plan.OnUntyped("could not determine data type of parameter $2");
  EXPECT_EQ(plan.form(Time()), StatementForm::kText);
}

// pg_typeof('x') is unknown, and would be text.
TEST(StatementPlan, BehindAnUnknownFunctionNothingIsDeclared) {
  for (const StatementMode mode : {StatementMode::kAuto, StatementMode::kPrepared}) {
    StatementPlan plan = Plan("SELECT pg_typeof('%s')", mode);
    plan.OnUntyped("could not determine data type of parameter $1");
    EXPECT_EQ(plan.form(Time()), StatementForm::kText);
  }
}

TEST(StatementPlan, AMessageThatNamesNoParameterIsARefusal) {
  for (const char* message : {"", "$", "$0", "$3", "$x", "what type?"}) {
    StatementPlan plan = Plan(kSimple, StatementMode::kAuto);
    plan.OnUntyped(message);
    EXPECT_EQ(plan.form(Time()), StatementForm::kText) << message;
  }
}

TEST(StatementPlan, ARefusalStandsWhenTextIsAnswered) {
  StatementPlan plan = Plan(kSimple, StatementMode::kAuto);
  EXPECT_FALSE(plan.OnTextAnswered());  // of a connection that takes text only
  plan.OnRefused("operator does not exist");
  EXPECT_EQ(plan.form(Time()), StatementForm::kText);
  EXPECT_TRUE(plan.OnTextAnswered());
  EXPECT_FALSE(plan.OnTextAnswered());  // logged once
  EXPECT_EQ(plan.text_reason(), "the server refused it with parameters: operator does not exist");
  plan.OnTextFailed(Time());
  EXPECT_EQ(plan.form(Time() + std::chrono::hours(1)), StatementForm::kText);
}

TEST(StatementPlan, ABrokenQueryIsTriedAgainASecondLater) {
  StatementPlan plan = Plan(kSimple, StatementMode::kAuto);
  plan.OnRefused("relation t does not exist");
  plan.OnTextFailed(Time());
  EXPECT_EQ(plan.form(Time() + std::chrono::milliseconds(999)), StatementForm::kText);
  EXPECT_EQ(plan.form(Time() + std::chrono::seconds(1)), StatementForm::kPrepared);
  EXPECT_EQ(plan.text_reason(), "");
  EXPECT_FALSE(plan.OnTextAnswered());
}

TEST(StatementPlan, TextStaysTextWhateverFails) {
  StatementPlan plan = Plan(kLimited, StatementMode::kAuto);
  plan.OnTextFailed(Time());
  EXPECT_EQ(plan.form(Time() + std::chrono::hours(1)), StatementForm::kText);
  EXPECT_EQ(plan.text_reason(), "it has LIMIT");
}

}  // namespace
}  // namespace proxymux::pgsql
