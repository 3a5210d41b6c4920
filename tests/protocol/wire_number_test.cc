#include "protocol/wire_number.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <optional>
#include <random>
#include <string>

namespace proxymux::protocol {
namespace {

// The reference: the C library's own reading of a whole string as %u, which is what stock relies
// on.
std::optional<std::uint32_t> AsScanfReads(const std::string& text) {
  unsigned number = 0;
  char behind = 0;
  if (std::sscanf(text.c_str(), "%u%c", &number, &behind) != 1) return std::nullopt;
  return number;
}

TEST(WireNumber, PlainDigits) {
  EXPECT_EQ(ParseWireNumber("0"), 0u);
  EXPECT_EQ(ParseWireNumber("540737"), 540737u);
  EXPECT_EQ(ParseWireNumber("4294967295"), 4294967295u);
  EXPECT_EQ(ParseWireNumber("007"), 7u);
}

TEST(WireNumber, NoNumbers) {
  for (const char* text :
       {"", " ", "x", "1x", "1 ", "0x10", "1.0", "+", "-", "+-1", "- 1", "--1"}) {
    EXPECT_EQ(ParseWireNumber(text), std::nullopt) << "'" << text << "'";
  }
}

TEST(WireNumber, WhatElseStockLetsPass) {
  EXPECT_EQ(ParseWireNumber(" \t\n\v\f\r7"), 7u);
  EXPECT_EQ(ParseWireNumber("+7"), 7u);
  EXPECT_EQ(ParseWireNumber("-1"), 4294967295u);
  EXPECT_EQ(ParseWireNumber("4294967296"), 0u);
  EXPECT_EQ(ParseWireNumber("18446744073709551615"), 4294967295u);
  EXPECT_EQ(ParseWireNumber("18446744073709551616"), 4294967295u);
  EXPECT_EQ(ParseWireNumber("-18446744073709551616"), 4294967295u);
  EXPECT_EQ(ParseWireNumber(std::string(60000, '9')), 4294967295u);
}

TEST(WireNumber, ReadsEveryTextAsScanfDoes) {
  std::mt19937 random(20260101);
  const std::string alphabet = "0123456789012345678901234567890123456789 \t\n\v\f\r+-x.";
  for (int round = 0; round < 200000; ++round) {
    std::string text;
    const std::size_t size = random() % 24;
    while (text.size() < size) text += alphabet[random() % alphabet.size()];
    if (round % 2 == 0) {
      // Mostly digits, behind at most one blank and one sign.
      text = std::string(round % 3 == 0 ? " " : "") + (round % 5 == 0 ? "-" : "");
      for (std::size_t i = 0; i < 1 + size; ++i) text += static_cast<char>('0' + random() % 10);
    }
    ASSERT_EQ(ParseWireNumber(text), AsScanfReads(text)) << "'" << text << "'";
  }
}

}  // namespace
}  // namespace proxymux::protocol
