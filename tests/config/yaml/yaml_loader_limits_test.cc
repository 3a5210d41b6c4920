// Texts that are too large, too deep, too wrong or made to do harm.
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/yaml/yaml_loader.h"
#include "tests/config/yaml/loaded_text.h"

namespace proxymux::config {
namespace {

TEST(YamlLoader, HostileTextEndsSoonAndHarmlessly) {
  constexpr std::size_t size = 200000;
  std::vector<std::string> texts = {std::string(size, '['),    std::string(size, '{'),
                                    std::string(size, '\n'),   std::string(size, '-'),
                                    std::string(size, 'a'),    std::string(size, '\0'),
                                    std::string(size, '\xff'), std::string(size, '\t'),
                                    std::string(size, '"'),    std::string(size, ':')};
  for (const std::string_view piece :
       {"- ", "? ", "a: ", "[a,", "{a: ", "&a ", "*a ", "!a ", "| \n", "a: 1\n", "- - - \n"}) {
    std::string text;
    while (text.size() + piece.size() < size) text += piece;
    texts.push_back(std::move(text));
  }
  std::string staircase;
  for (int depth = 0; staircase.size() < size / 2; ++depth) {
    staircase += std::string(static_cast<std::size_t>(depth), ' ') + "a:\n";
  }
  texts.push_back(staircase);
  std::string laughs = "a0: &a0 [x, x]\n";
  for (int i = 1; i < 40; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before + ", " + before +
              "]\n";
  }
  texts.push_back(laughs);
  const auto begin = std::chrono::steady_clock::now();
  for (const std::string& text : texts) {
    const LoadedConfig loaded = Load(text);
    EXPECT_EQ(loaded.config.pool, PoolSettings()) << text.substr(0, 10);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
}

TEST(YamlLoader, ManyErrorsAreCountedNotShown) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "x" + std::to_string(i) + ": 1\n";
  const LoadedConfig loaded = Load(text);
  ASSERT_EQ(loaded.diagnostics.size(), 101u);
  EXPECT_EQ(loaded.diagnostics.back().ToString(), "p.yaml: error: 900 more errors");
}

TEST(YamlLoader, NestingAndSizeHaveLimits) {
  std::string deep = "x";
  for (int i = 0; i < kMaxConfigDepth; ++i) deep = "{a: " + deep + "}";
  EXPECT_TRUE(Has(Load(deep), "unknown setting \"a\""));
  EXPECT_TRUE(Has(Load("{a: " + deep + "}"), "nested too deeply"));
  const LoadedConfig large = Load(std::string(kMaxConfigBytes + 1, '#'));
  EXPECT_TRUE(Has(large, "larger than 1MiB"));
  EXPECT_TRUE(large.all_tables_broken);
  EXPECT_EQ(Messages(Load(std::string(kMaxConfigBytes, '#'))), "");
}

}  // namespace
}  // namespace proxymux::config
