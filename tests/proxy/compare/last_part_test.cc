// The end of files and streams.
#include "proxy/compare/last_part.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tests/harness/temp_directory.h"

namespace proxymux::proxy {
namespace {

using testing::HasSubstr;

class LastPartTest : public testing::Test {
 protected:
  LastPart OfFile(const std::string& text, std::size_t most) {
    harness::WriteFile(directory_ / "file", text);
    return ReadLastPart(directory_ / "file", nullptr, most);
  }
  static LastPart OfStream(const std::string& text, std::size_t most) {
    std::istringstream in(text);
    return ReadLastPart("-", &in, most);
  }

  harness::TempDirectory directory_;
};

TEST_F(LastPartTest, AllOfASmallOne) {
  for (const auto& part : {OfFile("one\ntwo\n", 8), OfStream("one\ntwo\n", 8)}) {
    EXPECT_EQ(part.text, "one\ntwo\n");
    EXPECT_FALSE(part.cut);
    EXPECT_EQ(part.error, "");
  }
}

TEST_F(LastPartTest, WholeLinesOfALargeOne) {
  for (const auto& part : {OfFile("one\ntwo\nthree\n", 8), OfStream("one\ntwo\nthree\n", 8)}) {
    EXPECT_EQ(part.text, "three\n");
    EXPECT_TRUE(part.cut);
  }
  EXPECT_EQ(OfFile("a line without an end", 8).text, "");
}

TEST_F(LastPartTest, OfALongStreamTheEnd) {
  std::string text;
  for (int i = 0; i < 100000; ++i) text += "line " + std::to_string(i) + "\n";
  EXPECT_EQ(OfStream(text, 24).text, "line 99998\nline 99999\n");
}

TEST_F(LastPartTest, WhatIsNoText) {
  EXPECT_THAT(OfFile("\x1f\x8b\x08 and so on", 99).error, HasSubstr("zcat"));
  EXPECT_THAT(ReadLastPart(directory_ / "", nullptr).error, HasSubstr("directory"));
  EXPECT_THAT(ReadLastPart(directory_ / "none", nullptr).error, HasSubstr("No such file"));
}

}  // namespace
}  // namespace proxymux::proxy
