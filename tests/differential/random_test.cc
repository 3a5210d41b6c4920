// Random tables and keys through stock and proxymux: whatever differs is deliberate, or the test
// fails and prints what is needed to see it again.
//
// From the environment: PROXYMUX_DIFF_SEED (a number; else taken at random, and printed),
// PROXYMUX_DIFF_SECONDS (30), PROXYMUX_DIFF_CASES (stops after so many pairs of a table and a key,
// however long it takes), PROXYMUX_DIFF_TABLE (asks only this table of each round, such as r17.cf).
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/differential/comparison.h"
#include "tests/differential/keys.h"
#include "tests/differential/random_key.h"
#include "tests/differential/random_source.h"
#include "tests/differential/random_table.h"
#include "tests/differential/schema_keys.h"
#include "tests/harness/deadline.h"

namespace proxymux::differential {
namespace {

using harness::SecondsSince;
using Clock = std::chrono::steady_clock;

std::uint64_t SomeSeed() {
  std::random_device device;
  return device() % 1000000000ULL;
}

// The tables and keys of a round depend on its seed alone; fewer tables are the first ones of more.
std::vector<Question> RoundOf(std::uint64_t seed, std::size_t tables) {
  RandomSource random(seed);
  std::vector<Question> questions;
  for (std::size_t i = 0; i < tables; ++i) {
    RandomSource own(random.NextSeed());
    Question question;
    question.table = RandomTable(own, "r" + std::to_string(i) + ".cf");
    for (std::size_t keys = own.Between(40, 60); keys > 0; --keys)
      question.keys.push_back(own.Percent(35) ? RandomHit(own, question.table.text)
                                              : RandomKey(own));
    questions.push_back(std::move(question));
  }
  return questions;
}

// One of each table and pair of sides is enough to begin with.
std::string Shown(const std::vector<Disagreement>& all, std::uint64_t seed) {
  constexpr std::size_t kMost = 20;
  std::map<std::string, std::size_t> seen;
  std::string text;
  std::size_t shown = 0;
  for (const Disagreement& each : all) {
    if (++seen[each.between + each.table] > 1 || ++shown > kMost) continue;
    text += "\nPROXYMUX_DIFF_SEED=" + std::to_string(seed) + " PROXYMUX_DIFF_TABLE=" + each.table +
            "  key $'" + EscapedKey(each.key) + "'\n" + Describe(each);
  }
  return text;
}

TEST(RandomDifferential, EveryDifferenceIsDeliberate) {
  const std::uint64_t seed = FromEnvironment("PROXYMUX_DIFF_SEED", SomeSeed());
  const std::uint64_t wanted_cases = FromEnvironment("PROXYMUX_DIFF_CASES", 0);
  const double seconds = static_cast<double>(FromEnvironment("PROXYMUX_DIFF_SECONDS", 30));
  const char* only = std::getenv("PROXYMUX_DIFF_TABLE");
  std::cout << "seed " << seed << std::endl;

  DifferentialWorld& world = DifferentialWorld::Instance();
  Comparison::Options options;
  // Not prepared: with a plan for all values PostgreSQL may never evaluate what raises an error
  // when it plans for one. That is why auto does not prepare such queries (decision 19).
  options.further_modes = {"parameterized"};
  options.most_errors = 4;
  options.workers = 4;  // stock's client is a process and often waits
  const Clock::time_point start = Clock::now();
  ComparisonReport total;
  constexpr std::size_t kLargestRound = 180;
  std::size_t tables = only == nullptr ? 60 : kLargestRound;
  double per_table = 0;
  for (std::uint64_t round = 0;; ++round) {
    std::vector<Question> questions = RoundOf(seed + round, tables);
    if (only != nullptr)
      std::erase_if(questions, [&](const Question& each) { return each.table.name != only; });
    const Clock::time_point begin = Clock::now();
    const ComparisonReport report = Comparison(world, options).Run(questions);
    total.Add(report);
    per_table = std::max(0.001, SecondsSince(begin) / static_cast<double>(tables));
    const double elapsed = SecondsSince(start);
    std::cout << "round " << round << ", seed " << seed + round << ": " << report.tables
              << " tables, " << report.keys << " cases in " << SecondsSince(begin) << " s; "
              << static_cast<std::uint64_t>(static_cast<double>(total.keys) * 60 / elapsed)
              << " cases a minute so far" << std::endl;
    EXPECT_TRUE(report.unexplained.empty())
        << report.unexplained.size() << " disagreements" << Shown(report.unexplained, seed + round);
    if (only != nullptr) {
      EXPECT_EQ(report.tables, 1u) << "no table " << only << " in the round of seed " << seed;
      break;
    }
    const double left = seconds - elapsed;
    if (wanted_cases > 0 ? total.keys >= wanted_cases : left < 20 * per_table) break;
    tables = kLargestRound;
    if (wanted_cases == 0) tables = std::min(tables, static_cast<std::size_t>(left / per_table));
  }
  std::cout << total.Text();
  if (only != nullptr) return;
  // Random queries that nothing is found with would prove nothing.
  EXPECT_GT(total.found * 100, total.keys * 10);
  EXPECT_LT(total.errors * 100, total.keys * 40);
}

}  // namespace
}  // namespace proxymux::differential
