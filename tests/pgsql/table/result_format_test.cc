#include "pgsql/table/result_format.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "config/values/server_config.h"

namespace proxymux::pgsql {
namespace {

using Row = std::vector<std::optional<std::string>>;

class Rows : public RowSource {
 public:
  explicit Rows(std::vector<Row> rows) : rows_(std::move(rows)) {}
  std::size_t rows() const override { return rows_.size(); }
  std::size_t columns() const override { return rows_.empty() ? 1 : rows_[0].size(); }
  bool IsNull(std::size_t row, std::size_t column) const override {
    return !rows_[row][column].has_value();
  }
  std::string_view Value(std::size_t row, std::size_t column) const override {
    return *rows_[row][column];
  }

 private:
  std::vector<Row> rows_;
};

ResultFormat Compiled(std::string_view format) {
  auto result = ResultFormat::Compile(format);
  EXPECT_TRUE(std::holds_alternative<ResultFormat>(result)) << format;
  return std::get<ResultFormat>(std::move(result));
}
std::string Format(std::string_view format, std::vector<Row> rows,
                   std::string_view key = "k@key.org", FormatLimits limits = {}) {
  std::string out = "before ";
  const FormatOutcome outcome =
      Compiled(format).Format(Rows(std::move(rows)), KeyParts(key), limits, &out);
  if (outcome.status != FormatStatus::kFound) {
    EXPECT_EQ(out, "before ");
  }
  switch (outcome.status) {
    case FormatStatus::kFound:
      return out.substr(7);
    case FormatStatus::kNotFound:
      return "(not found)";
    case FormatStatus::kTooManyElements:
      return "(too many)";
    case FormatStatus::kTooLarge:
      return "(too large)";
  }
  return "";
}

TEST(ResultFormat, JoinsEveryColumnOfEveryRow) {
  EXPECT_EQ(Format("%s", {{"a", "b"}, {"c", "d"}}), "a,b,c,d");
}

TEST(ResultFormat, SkipsAndCountsNullAndEmptyElements) {
  std::string out;
  const FormatOutcome outcome =
      Compiled("%s").Format(Rows({{std::nullopt, "a"}, {"", "b"}}), KeyParts("k"), {}, &out);
  EXPECT_EQ(out, "a,b");
  EXPECT_EQ(outcome.empty, 2u);
  EXPECT_EQ(outcome.elements, 2u);
}

TEST(ResultFormat, NoElementIsNotFound) {
  EXPECT_EQ(Format("%s", {}), "(not found)");
  EXPECT_EQ(Format("%s", {{std::nullopt}, {""}}), "(not found)");
}

TEST(ResultFormat, SmallLettersTakeFromTheElementCapitalsFromTheKey) {
  EXPECT_EQ(Format("%s|%u|%d|%S|%U|%D|%1|%2|%%", {{"v@w@x"}}, "u@a.b"),
            "v@w@x|v@w|x|u@a.b|u|a.b|b|a|%");
}

TEST(ResultFormat, AnElementWithoutDomainIsSkippedWhereItsDomainIsUsed) {
  EXPECT_EQ(Format("%d", {{"a@b"}, {"@b"}, {"a@"}, {"x"}}), "b,b");
}

TEST(ResultFormat, AnElementWithAnEmptyUserIsSkippedWhereItsUserIsUsed) {
  EXPECT_EQ(Format("%u", {{"a@b"}, {"@b"}, {"a@"}, {"x"}}), "a,a,x");
}

TEST(ResultFormat, AConstantFormatStillNeedsAnElement) {
  EXPECT_EQ(Format("OK", {{"a"}, {"b"}}), "OK,OK");
  EXPECT_EQ(Format("OK", {}), "(not found)");
}

TEST(ResultFormat, ElementsAreNotExpandedAgain) { EXPECT_EQ(Format("<%s>", {{"%u%%"}}), "<%u%%>"); }

TEST(ResultFormat, OnlyFormattedElementsCountAgainstTheLimit) {
  const std::vector<Row> rows = {{"a@b"}, {std::nullopt}, {"skipped"}, {"c@d"}};
  EXPECT_EQ(Format("%d", rows, "k", {.elements = 2}), "b,d");
  EXPECT_EQ(Format("%d", rows, "k", {.elements = 1}), "(too many)");
  EXPECT_EQ(Format("%d", rows, "k", {.elements = 0}), "b,d");
  EXPECT_EQ(Format("%d", rows, "k", {.elements = -1}), "b,d");
}

TEST(ResultFormat, AValueOverItsBoundIsTooLarge) {
  EXPECT_EQ(Format("%s", {{"abc"}, {"def"}}, "k", {.value_bytes = 7}), "abc,def");
  EXPECT_EQ(Format("%s", {{"abc"}, {"def"}}, "k", {.value_bytes = 6}), "(too large)");
  EXPECT_EQ(Format("x%s", {{"abc"}}, "k", {.value_bytes = 3}), "(too large)");
}

// proxymux.yaml(5), max_value, says how much memory a pool takes at most.
TEST(ResultFormat, WhatIsReceivedForOneValueIsBounded) {
  constexpr std::size_t kMiB = 1 << 20;
  EXPECT_EQ(MostReceivedFor(4 * kMiB), 33 * kMiB);
  const std::size_t connections = config::PoolSettings().connections;
  EXPECT_EQ(connections * 4 * MostReceivedFor(config::TableSettings().max_value), 528 * kMiB);
}

TEST(ResultFormat, AsksTheKeyOnlyForWhatCapitalsAndDigitsUse) {
  EXPECT_EQ(Compiled("%s%u%d%S").requirements(), Requirements());
  EXPECT_EQ(Compiled("%U").requirements(), (Requirements{.user = true}));
  EXPECT_EQ(Compiled("%D").requirements(), (Requirements{.domain = true}));
  EXPECT_EQ(Compiled("%2").requirements(), (Requirements{.domain = true, .labels = 2}));
}

TEST(ResultFormat, RefusesOtherPlaceholdersAndTheEmptyFormat) {
  for (const auto& [format, offset] : std::vector<std::pair<std::string, std::size_t>>{
           {"", 0}, {"a%", 1}, {"%s%0", 2}, {"%x", 0}}) {
    auto result = ResultFormat::Compile(format);
    ASSERT_TRUE(std::holds_alternative<TemplateError>(result)) << format;
    EXPECT_EQ(std::get<TemplateError>(result).offset, offset);
  }
}

}  // namespace
}  // namespace proxymux::pgsql
