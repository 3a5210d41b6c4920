#include "proxy/text/key_fold.h"

#include <gtest/gtest.h>

#include <string>

#include "proxy/text/utf8.h"

namespace proxymux::proxy {
namespace {

std::string Ascii(std::string_view key) {
  std::string folded = "left over";
  FoldAscii(key, &folded);
  return folded;
}

std::string Utf8(std::string_view key) {
  std::string folded = "left over";
  EXPECT_TRUE(FoldUtf8(key, &folded)) << key;
  return folded;
}

TEST(KeyFold, AsciiTouchesOnlyLatinCapitals) {
  EXPECT_EQ(Ascii("User+Tag@EXAMPLE.com"), "user+tag@example.com");
  EXPECT_EQ(Ascii("@AZ[`az{"), "@az[`az{");
  EXPECT_EQ(Ascii("\xc3\x84\xff"), "\xc3\x84\xff");
  EXPECT_EQ(Ascii(""), "");
}

TEST(KeyFold, Utf8FoldsAsUnicodeSays) {
  EXPECT_EQ(Utf8("User@EXAMPLE.com"), "user@example.com");
  EXPECT_EQ(Utf8("J\xc3\x9cRGEN@\xc3\x84.example"), "j\xc3\xbcrgen@\xc3\xa4.example");
  EXPECT_EQ(Utf8("stra\xc3\x9f"
                 "e"),
            "strasse");                                     // sharp s is two letters
  EXPECT_EQ(Utf8("\xce\xa3\xcf\x82"), "\xcf\x83\xcf\x83");  // final sigma is sigma
  EXPECT_EQ(Utf8("\xc4\xb0"), "i\xcc\x87");                 // dotted I grows, whatever the locale
  EXPECT_EQ(Utf8("I"), "i");
  EXPECT_EQ(Utf8(""), "");
}

TEST(KeyFold, AResultThatGrowsBeyondTheFirstGuessIsComplete) {
  std::string key;
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    key += "\xce\x90";                       // one letter of two bytes
    expected += "\xce\xb9\xcc\x88\xcc\x81";  // becomes three characters
  }
  EXPECT_EQ(Utf8(key), expected);
}

TEST(KeyFold, FoldingTwiceChangesNothing) {
  const std::string once = Utf8("\xc7\x85\xe1\xba\x9e\xef\xac\x80 \xf0\x90\x90\x80");
  EXPECT_EQ(Utf8(once), once);
}

TEST(Utf8Validity, ShortestFormsOfEveryLength) {
  EXPECT_TRUE(IsValidUtf8(""));
  EXPECT_TRUE(IsValidUtf8("plain ascii that is longer than one machine word"));
  EXPECT_TRUE(IsValidUtf8("\x01\x7f"));
  EXPECT_TRUE(IsValidUtf8("\xc2\x80\xdf\xbf"));
  EXPECT_TRUE(IsValidUtf8("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"));
  EXPECT_TRUE(IsValidUtf8("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"));
}

TEST(Utf8Validity, WhatPostfixRefuses) {
  for (const char* bad : {
           "\x80",
           "\xbf",
           "\xff",
           "\xfe",  // never begin a character
           "\xc0\x80",
           "\xc1\xbf",
           "\xe0\x9f\xbf",      // longer than need be
           "\xf0\x8f\xbf\xbf",  //
           "\xed\xa0\x80",
           "\xed\xbf\xbf",  // surrogates
           "\xf4\x90\x80\x80",
           "\xf5\x80\x80\x80",  // above U+10FFFF
           "\xc3",
           "\xe2\x82",
           "\xf0\x9f\x98",  // cut off
           "\xc3(",
           "\xe2(\x82",
           "\xe2\x82(",
           "\xf0\x9f\x98(",
       }) {
    EXPECT_FALSE(IsValidUtf8(bad)) << testing::PrintToString(std::string(bad));
    EXPECT_FALSE(IsValidUtf8("12345678" + std::string(bad)));
    EXPECT_FALSE(IsValidUtf8("1234567" + std::string(bad) + "12345678"));
  }
}

TEST(Utf8Validity, AsciiIsSeenAtEveryOffset) {
  for (std::size_t size = 1; size < 40; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string text(size, 'a');
      EXPECT_TRUE(IsAscii(text));
      text[at] = '\x80';
      EXPECT_FALSE(IsAscii(text));
      EXPECT_FALSE(IsValidUtf8(text));
    }
  }
}

}  // namespace
}  // namespace proxymux::proxy
