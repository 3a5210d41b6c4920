// Foreign text for a terminal.
#include "proxy/text/shown_text.h"

#include <gtest/gtest.h>

namespace proxymux::proxy {
namespace {

TEST(QuotedText, EscapesWhatATerminalWouldObey) {
  EXPECT_EQ(QuotedText("plain ü"), "\"plain ü\"");
  EXPECT_EQ(QuotedText("a\"b\\c"), "\"a\\\"b\\\\c\"");
  EXPECT_EQ(QuotedText("\n\t\r\x1b[2J\x7f"), "\"\\n\\t\\x0d\\x1b[2J\\x7f\"");
  EXPECT_EQ(QuotedText("\xff\xc3"), "\"\\xff\\xc3\"");
  EXPECT_EQ(QuotedText("\xc2\x9b"
                       "2J"),
            "\"\\xc2\\x9b2J\"")
      << "a C1 control";
  EXPECT_EQ(QuotedText(std::string_view("a\0b", 3)), "\"a\\x00b\"");
}

TEST(QuotedText, IsBoundedAndSaysHowMuchThereWas) {
  EXPECT_EQ(QuotedText("abcdef", 6), "\"abcdef\"");
  EXPECT_EQ(QuotedText("abcdef", 5), "\"abcde\"... (6 bytes)");
  EXPECT_EQ(QuotedText("abcdef", 5, 900), "\"abcde\"... (900 bytes)");
  EXPECT_EQ(QuotedText("abcdü", 5), "\"abcd\"... (6 bytes)") << "no half character";
  EXPECT_EQ(QuotedText("\xbf\xbf\xbf\xbf\xbf\xbf", 5).substr(0, 5), "\"\\xbf");
}

TEST(ShownText, IsAsItIsButForWhatATerminalWouldObey) {
  EXPECT_EQ(ShownText("SELECT 'a\\' \"b\"", 99), "SELECT 'a\\' \"b\"");
  EXPECT_EQ(ShownText("a\x1b[2J\n", 99), "a\\x1b[2J\\n");
  EXPECT_EQ(ShownText("abcdef", 5), "abcde... (6 bytes)");
}

}  // namespace
}  // namespace proxymux::proxy
