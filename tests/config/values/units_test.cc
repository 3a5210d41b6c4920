#include <gtest/gtest.h>

#include <limits>

#include "config/values/byte_size.h"
#include "config/values/duration.h"

namespace proxymux::config {
namespace {

using std::chrono::milliseconds;

std::string DurationError(std::string_view text) {
  std::string error;
  return ParseDuration(text, &error) ? "accepted" : error;
}

std::string SizeError(std::string_view text) {
  std::string error;
  return ParseByteSize(text, &error) ? "accepted" : error;
}

TEST(Duration, EveryUnitIsRead) {
  std::string error;
  EXPECT_EQ(ParseDuration("500ms", &error), milliseconds(500));
  EXPECT_EQ(ParseDuration("30s", &error), milliseconds(30000));
  EXPECT_EQ(ParseDuration("5m", &error), milliseconds(300000));
  EXPECT_EQ(ParseDuration("1h", &error), milliseconds(3600000));
  EXPECT_EQ(ParseDuration("1d", &error), milliseconds(86400000));
  EXPECT_EQ(ParseDuration("0s", &error), milliseconds(0));
}

TEST(Duration, ABareNumberIsAnErrorThatNamesTheUnits) {
  for (const std::string_view text : {"30", "0"}) {
    EXPECT_NE(DurationError(text).find("unit is missing"), std::string::npos);
    EXPECT_NE(DurationError(text).find("ms, s, m, h, d"), std::string::npos);
  }
}

TEST(Duration, OtherTextIsAnError) {
  for (const std::string_view text :
       {"", "s", "-1s", "+1s", "1.5s", " 1s", "1s ", "1 s", "1S", "1w", "1sec", "1s2", "0x1s"}) {
    EXPECT_NE(DurationError(text), "accepted") << text;
  }
}

TEST(Duration, WhatDoesNotFitIsAnError) {
  EXPECT_NE(DurationError("9223372036854775807ms").find("accepted"), std::string::npos);
  EXPECT_NE(DurationError("9223372036854775807s").find("too long"), std::string::npos);
  EXPECT_NE(DurationError("106751991168d").find("too long"), std::string::npos);
  EXPECT_NE(DurationError("99999999999999999999999ms").find("too long"), std::string::npos);
}

TEST(Duration, IsWrittenShortAndExact) {
  EXPECT_EQ(FormatDuration(milliseconds(0)), "0s");
  EXPECT_EQ(FormatDuration(milliseconds(1)), "1ms");
  EXPECT_EQ(FormatDuration(milliseconds(1500)), "1500ms");
  EXPECT_EQ(FormatDuration(milliseconds(90000)), "90s");
  EXPECT_EQ(FormatDuration(milliseconds(120000)), "2m");
  EXPECT_EQ(FormatDuration(milliseconds(86400000)), "1d");
  for (const std::int64_t count : {1, 999, 1000, 59999, 60000, 3600000, 90061000}) {
    std::string error;
    EXPECT_EQ(ParseDuration(FormatDuration(milliseconds(count)), &error), milliseconds(count));
  }
}

TEST(ByteSize, EveryUnitIsRead) {
  std::string error;
  EXPECT_EQ(ParseByteSize("512B", &error), 512u);
  EXPECT_EQ(ParseByteSize("64KiB", &error), 65536u);
  EXPECT_EQ(ParseByteSize("1MiB", &error), 1048576u);
  EXPECT_EQ(ParseByteSize("3GiB", &error), std::size_t{3} << 30);
}

TEST(ByteSize, BareNumbersAndDecimalUnitsAreErrors) {
  EXPECT_NE(SizeError("64").find("unit is missing"), std::string::npos);
  for (const std::string_view text : {"", "B", "-1B", "1KB", "1kib", "1 KiB", "1.5MiB", "1M"}) {
    EXPECT_NE(SizeError(text), "accepted") << text;
  }
  EXPECT_NE(SizeError("1M").find("B, KiB, MiB, GiB"), std::string::npos);
}

TEST(ByteSize, WhatDoesNotFitIsAnError) {
  EXPECT_EQ(SizeError("18446744073709551615B"), "accepted");
  EXPECT_NE(SizeError("18446744073709551616B").find("too large"), std::string::npos);
  EXPECT_NE(SizeError("17179869184GiB").find("too large"), std::string::npos);
}

TEST(ByteSize, IsWrittenShortAndExact) {
  EXPECT_EQ(FormatByteSize(0), "0B");
  EXPECT_EQ(FormatByteSize(1000), "1000B");
  EXPECT_EQ(FormatByteSize(1536), "1536B");
  EXPECT_EQ(FormatByteSize(65536), "64KiB");
  EXPECT_EQ(FormatByteSize(std::size_t{5} << 30), "5GiB");
  std::string error;
  const std::size_t most = std::numeric_limits<std::size_t>::max();
  EXPECT_EQ(ParseByteSize(FormatByteSize(most), &error), most);
}

}  // namespace
}  // namespace proxymux::config
