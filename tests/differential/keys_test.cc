// The keys that the differential suite asks for are as many-sided as their lists say.
#include "tests/differential/keys.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <set>
#include <string>

#include "proxy/text/utf8.h"
#include "tests/differential/random_key.h"
#include "tests/differential/schema_keys.h"

namespace proxymux::differential {
namespace {

constexpr std::size_t kMany = 20000;

TEST(FixedKeys, HaveNamesAndTextsOfTheirOwn) {
  std::set<std::string> names, texts;
  for (const NamedKey& key : FixedKeys()) {
    EXPECT_TRUE(names.insert(key.name).second) << key.name;
    EXPECT_TRUE(texts.insert(key.text).second) << key.name;
    EXPECT_FALSE(key.text.empty()) << key.name;
    EXPECT_EQ(key.text.find('\0'), std::string::npos) << key.name;
  }
}

TEST(FixedKeys, HoldEveryControlByteAndEveryLengthThatWasAskedFor) {
  std::set<char> bytes;
  std::size_t longest = 0, shortest = 100;
  for (const NamedKey& key : FixedKeys()) {
    bytes.insert(key.text.begin(), key.text.end());
    longest = std::max(longest, key.text.size());
    shortest = std::min(shortest, key.text.size());
  }
  for (int byte = 1; byte < 128; ++byte) {
    if (std::isalnum(byte)) continue;
    EXPECT_TRUE(bytes.contains(static_cast<char>(byte))) << byte;
  }
  EXPECT_EQ(shortest, 1u);
  EXPECT_EQ(longest, 8000u);
}

TEST(FixedKeys, AreUtf8UnlessTheirNamesSayOtherwise) {
  for (const NamedKey& key : FixedKeys())
    EXPECT_EQ(proxy::IsValidUtf8(key.text), !key.name.starts_with("bad-")) << key.name;
}

TEST(EscapedKey, IsOneLineOfPrintableAscii) {
  EXPECT_EQ(EscapedKey("o'brien\\\n\xc3\xa9@x"), "o\\'brien\\\\\\x0a\\xc3\\xa9@x");
  for (const NamedKey& key : FixedKeys()) {
    const std::string escaped = EscapedKey(key.text);
    EXPECT_TRUE(std::all_of(escaped.begin(), escaped.end(), [](char c) {
      return c >= ' ' && c <= '~';
    })) << key.name;
  }
}

TEST(RandomKey, IsTheSameForTheSameSeed) {
  RandomSource first(7), again(7), other(8);
  std::size_t different = 0;
  for (std::size_t i = 0; i < 100; ++i) {
    const std::string key = RandomKey(first);
    EXPECT_EQ(key, RandomKey(again));
    different += key != RandomKey(other);
  }
  EXPECT_GT(different, 90u);
}

TEST(RandomKey, CanBeSent) {
  RandomSource random(1);
  for (std::size_t i = 0; i < kMany; ++i) {
    const std::string key = RandomKey(random);
    ASSERT_FALSE(key.empty());
    ASSERT_EQ(key.find('\0'), std::string::npos) << EscapedKey(key);
    ASSERT_LT(key.size(), 20000u);
  }
}

TEST(RandomKey, IsOfManyKinds) {
  RandomSource random(1);
  std::set<std::string> fixed, seen;
  for (const NamedKey& key : FixedKeys()) fixed.insert(key.text);
  std::size_t not_utf8 = 0, quotes = 0, backslashes = 0, no_domain = 0;
  for (std::size_t i = 0; i < kMany; ++i) {
    const std::string key = RandomKey(random);
    seen.insert(key);
    not_utf8 += !proxy::IsValidUtf8(key);
    quotes += key.find('\'') != std::string::npos;
    backslashes += key.find('\\') != std::string::npos;
    no_domain += key.find('@') == std::string::npos;
  }
  EXPECT_GT(seen.size(), kMany / 3);
  EXPECT_GT(not_utf8, kMany / 100);
  EXPECT_GT(quotes, kMany / 50);
  EXPECT_GT(backslashes, kMany / 100);
  EXPECT_GT(no_domain, kMany / 10);
  for (const std::string& key : fixed) {
    if (key.size() > 300) continue;
    EXPECT_TRUE(seen.contains(key)) << EscapedKey(key);
  }
}

TEST(SchemaKeys, AreAmongTheFixedKeys) {
  for (const NamedKey& key : SchemaKeys()) {
    EXPECT_TRUE(key.name.starts_with("hit-")) << key.name;
    const auto& fixed = FixedKeys();
    EXPECT_TRUE(std::any_of(fixed.begin(), fixed.end(), [&](const NamedKey& each) {
      return each.name == key.name && each.text == key.text;
    })) << key.name;
  }
}

}  // namespace
}  // namespace proxymux::differential
