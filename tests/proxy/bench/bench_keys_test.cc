// Keys, patterns and mixes of the load generator: what they are, that the seed fixes them, and that
// the shares are those asked for.
#include "proxy/bench/bench_keys.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "proxy/bench/bench_mix.h"
#include "proxy/bench/bench_pattern.h"

namespace proxymux::proxy {
namespace {

std::string Expand(const std::string& pattern, std::uint64_t number) {
  std::string error, text;
  const auto parsed = BenchPattern::Parse(pattern, &error);
  if (!parsed) return "error: " + error;
  parsed->AppendTo(number, &text);
  return text;
}

TEST(BenchPattern, NumbersStandWhereThePatternSays) {
  EXPECT_EQ(Expand("user%d@example%{100}d.com", 1234), "user1234@example34.com");
  EXPECT_EQ(Expand("%06d", 42), "000042");
  EXPECT_EQ(Expand("%03d", 12345), "12345");
  EXPECT_EQ(Expand("100%% of %d", 7), "100% of 7");
  EXPECT_EQ(Expand("no number", 7), "no number");
  EXPECT_EQ(Expand("", 7), "");
  EXPECT_EQ(Expand("%d", 18446744073709551615u), "18446744073709551615");
}

TEST(BenchPattern, WhatIsNoPatternIsNamed) {
  for (const char* bad : {"a%s", "a%", "%{0}d", "%{x}d", "%{10d", "%{10}", "%0d", "%099d", "%5d"}) {
    EXPECT_TRUE(Expand(bad, 1).starts_with("error: \"" + std::string(bad) + "\"")) << bad;
  }
}

std::string KeyAt(const BenchKeys& keys, std::uint64_t index, bool missing = false) {
  std::string text;
  keys.AppendKey(index, missing, &text);
  return text;
}

TEST(BenchKeys, FileHasKeysWithAndWithoutValues) {
  auto keys = BenchKeys::FromText("a@x\tone\n\nb@x\r\nc@x\tthree\tmore\nd@x\t");
  ASSERT_TRUE(keys);
  ASSERT_EQ(keys->size(), 4u);
  EXPECT_TRUE(keys->verifiable());
  EXPECT_EQ(KeyAt(*keys, 0), "a@x");
  EXPECT_EQ(keys->Value(0), "one");
  EXPECT_EQ(KeyAt(*keys, 1), "b@x");
  EXPECT_FALSE(keys->HasValue(1));
  EXPECT_EQ(keys->Value(2), "three\tmore");
  EXPECT_TRUE(keys->HasValue(3));
  EXPECT_EQ(keys->Value(3), "");
  EXPECT_EQ(KeyAt(*keys, 0, true), "missing-a@x");
}

TEST(BenchKeys, FileWithoutValuesVerifiesNothingAndWithoutKeysIsNone) {
  EXPECT_FALSE(BenchKeys::FromText("a\nb\n")->verifiable());
  EXPECT_FALSE(BenchKeys::FromText(""));
  EXPECT_FALSE(BenchKeys::FromText("\n\n\tvalue\n"));
}

TEST(BenchKeys, PatternCoversItsRange) {
  std::string error;
  auto keys = BenchKeys::FromPattern("user%d@x", "box%d", {10, 12}, &error);
  ASSERT_TRUE(keys) << error;
  EXPECT_EQ(keys->size(), 3u);
  EXPECT_EQ(KeyAt(*keys, 0), "user10@x");
  EXPECT_EQ(KeyAt(*keys, 2), "user12@x");
  EXPECT_EQ(keys->Value(2), "box12");
  EXPECT_FALSE(BenchKeys::FromPattern("user%d", "", {1, 2}, &error)->verifiable());
  EXPECT_FALSE(BenchKeys::FromPattern("user%d", "%q", {1, 2}, &error));
}

// How often each index came.
std::vector<double> Shares(const BenchMixOptions& options, std::uint64_t size, int draws) {
  BenchMix mix(options, size, 7);
  std::vector<double> shares(size);
  for (int i = 0; i < draws; ++i) shares.at(mix.Next().index) += 1.0 / draws;
  return shares;
}

TEST(BenchMix, SameSeedSameSequence) {
  for (const auto distribution :
       {BenchDistribution::kUniform, BenchDistribution::kZipfian, BenchDistribution::kHot}) {
    BenchMixOptions options;
    options.distribution = distribution;
    options.miss_share = 0.5;
    BenchMix first(options, 1000, 3), second(options, 1000, 3), other(options, 1000, 4);
    int same_as_other = 0;
    for (int i = 0; i < 200; ++i) {
      const auto choice = first.Next();
      const auto again = second.Next();
      EXPECT_EQ(choice.index, again.index);
      EXPECT_EQ(choice.missing, again.missing);
      if (choice.index == other.Next().index) ++same_as_other;
    }
    // Of hot keys most are the same one.
    if (distribution == BenchDistribution::kUniform) {
      EXPECT_LT(same_as_other, 10);
    }
  }
}

// The engine is fixed by the standard (its first numbers are 0.133877 and 0.136407 of its range),
// and nothing else of the library is used.
TEST(BenchMix, SequenceIsTheSameOnEveryMachine) {
  BenchMix mix({}, 1000000, 1);
  EXPECT_EQ(mix.Next().index, 133876u);
  EXPECT_EQ(mix.Next().index, 136407u);
}

TEST(BenchMix, UniformIsEven) {
  for (const double share : Shares({}, 10, 100000)) EXPECT_NEAR(share, 0.1, 0.01);
}

TEST(BenchMix, ZipfianFollowsItsExponent) {
  for (const double exponent : {0.5, 1.0, 1.1, 2.0}) {
    BenchMixOptions options;
    options.distribution = BenchDistribution::kZipfian;
    options.zipf_exponent = exponent;
    const auto shares = Shares(options, 50, 200000);
    double sum = 0;
    for (int k = 1; k <= 50; ++k) sum += std::pow(k, -exponent);
    for (int k = 1; k <= 50; ++k) {
      EXPECT_NEAR(shares[static_cast<std::size_t>(k - 1)], std::pow(k, -exponent) / sum, 0.006)
          << exponent << " " << k;
    }
  }
}

TEST(BenchMix, HotKeysGetTheirShare) {
  BenchMixOptions options;
  options.distribution = BenchDistribution::kHot;
  options.hot_keys = 2;
  options.hot_share = 0.8;
  const auto shares = Shares(options, 12, 100000);
  EXPECT_NEAR(shares[0], 0.4, 0.01);
  EXPECT_NEAR(shares[1], 0.4, 0.01);
  for (std::size_t i = 2; i < 12; ++i) EXPECT_NEAR(shares[i], 0.02, 0.005);
  // More hot keys than keys: all are.
  options.hot_keys = 100;
  for (const double share : Shares(options, 4, 40000)) EXPECT_NEAR(share, 0.25, 0.02);
  // One key, every lookup.
  options.hot_keys = 1;
  options.hot_share = 1;
  EXPECT_NEAR(Shares(options, 1000, 1000)[0], 1, 1e-9);
}

TEST(BenchMix, SequentialGoesRound) {
  BenchMixOptions options;
  options.distribution = BenchDistribution::kSequential;
  BenchMix mix(options, 3, 1);
  for (const std::uint64_t expected : {0, 1, 2, 0, 1, 2, 0}) EXPECT_EQ(mix.Next().index, expected);
}

TEST(BenchMix, ShareOfMisses) {
  BenchMixOptions options;
  options.miss_share = 0.1;
  BenchMix mix(options, 100, 1);
  int missing = 0;
  for (int i = 0; i < 100000; ++i) missing += mix.Next().missing ? 1 : 0;
  EXPECT_NEAR(missing, 10000, 500);
}

}  // namespace
}  // namespace proxymux::proxy
