// The fixed corpus, stock against proxymux: every table of tables/ with every key of FixedKeys(),
// and a part of the keys once more with smtputf8_enable = no.
//
// PROXYMUX_DIFF_MODE=prepared (or another statement_mode) asks for that mode instead of the default
// one and the further ones. PROXYMUX_DIFF_TABLES=regex takes only those tables.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <regex>

#include "tests/differential/comparison.h"
#include "tests/differential/corpus.h"
#include "tests/differential/deliberate_differences.h"
#include "tests/differential/keys.h"

namespace proxymux::differential {
namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

class FixedCorpus : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    corpus_ = new Corpus(ReadCorpus("tests/differential/tables"));
    if (DifferentialWorld::Instance().HasIpv6()) return;
    std::erase_if(corpus_->tables, [](const CorpusTable& entry) { return entry.needs_ipv6; });
  }
  static void TearDownTestSuite() {
    delete corpus_;
    corpus_ = nullptr;
  }

  // Every `step`-th of the fixed keys that `wanted` lets pass, and the table's own.
  template <typename Wanted>
  static std::vector<Question> Questions(const Wanted& wanted) {
    constexpr std::size_t kFew = 12;
    const std::string chosen = Environment("PROXYMUX_DIFF_TABLES");
    std::vector<Question> questions;
    for (const CorpusTable& entry : corpus_->tables) {
      if (!chosen.empty() && !std::regex_search(entry.table.name, std::regex(chosen))) continue;
      Question question{entry.table, entry.keys};
      std::size_t number = 0;
      for (const NamedKey& key : FixedKeys()) {
        if (!wanted(key.text)) continue;
        if (++number % (entry.few_keys ? kFew : 1) == 0) question.keys.push_back(key.text);
      }
      questions.push_back(std::move(question));
    }
    return questions;
  }

  static ComparisonReport Run(const char* what, const Comparison::Options& options,
                              const std::vector<Question>& questions) {
    const auto start = std::chrono::steady_clock::now();
    const ComparisonReport report =
        Comparison(DifferentialWorld::Instance(), options).Run(questions);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    std::cout << what << ": " << report.Text() << "  in " << took.count() << " s\n";
    for (const Disagreement& disagreement : report.unexplained) {
      ADD_FAILURE() << Describe(disagreement);
    }
    std::cout << report.log;
    for (const auto& [name, count] : report.deliberate) occurred_[name] += count;
    return report;
  }

  static Comparison::Options Options() {
    Comparison::Options options;
    options.files = corpus_->files;
    options.most_errors = 30;
    options.statement_mode = Environment("PROXYMUX_DIFF_MODE");
    if (options.statement_mode.empty()) {
      options.further_modes = {"legacy", "parameterized", "prepared"};
      options.further_every = 3;
    }
    return options;
  }

  inline static Corpus* corpus_ = nullptr;
  inline static std::map<std::string, std::size_t> occurred_;
};

TEST_F(FixedCorpus, StockAndProxymuxAgree) {
  const std::vector<Question> questions = Questions([](const std::string&) { return true; });
  const ComparisonReport report = Run("smtputf8_enable = yes", Options(), questions);
  EXPECT_EQ(report.tables, questions.size());
  for (const CorpusTable& entry : corpus_->tables) {
    if (!Environment("PROXYMUX_DIFF_TABLES").empty()) break;
    EXPECT_EQ(report.fruitful.count(entry.table.name), entry.finds_nothing ? 0u : 1u)
        << entry.table.name << (entry.finds_nothing ? " finds" : " does not find") << " something";
  }
}

TEST_F(FixedCorpus, StockAndProxymuxAgreeWithoutSmtputf8) {
  Comparison::Options options = Options();
  options.smtputf8 = false;
  options.further_modes.clear();
  options.most_errors = 5;
  Run("smtputf8_enable = no", options, Questions([](const std::string& key) {
        return std::any_of(key.begin(), key.end(),
                           [](unsigned char byte) { return byte >= 128 || std::isupper(byte); });
      }));
}

// A row that explains nothing is a licence that nobody needs.
TEST_F(FixedCorpus, EveryDeliberateDifferenceOccurs) {
  if (!Environment("PROXYMUX_DIFF_TABLES").empty()) GTEST_SKIP() << "not all tables were asked";
  for (const DeliberateDifference& row : DeliberateDifferences()) {
    if (std::string(row.name) == "ipv6-in-brackets" && !DifferentialWorld::Instance().HasIpv6()) {
      continue;
    }
    EXPECT_GT(occurred_[row.name], 0u) << row.name << ": " << row.reason;
  }
}

}  // namespace
}  // namespace proxymux::differential
