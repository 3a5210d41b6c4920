// Cells and sentences in as many columns as there are.
#include "proxy/text/text_grid.h"

#include <gtest/gtest.h>

namespace proxymux::proxy {
namespace {

TEST(WrapText, BreaksAtSpacesAndLeavesLongWordsWhole) {
  EXPECT_EQ(WrapText("one two three", 80, 2), "one two three\n");
  EXPECT_EQ(WrapText("one two three", 13, 2), "one two three\n");
  EXPECT_EQ(WrapText("one two three", 12, 2), "one two\n  three\n");
  EXPECT_EQ(WrapText("one two three", 1, 0), "one\ntwo\nthree\n");
  EXPECT_EQ(WrapText("    one two", 8, 4), "    one\n    two\n");
  EXPECT_EQ(WrapText("a much-too-long-word b", 6, 2), "a\n  much-too-long-word\n  b\n");
  EXPECT_EQ(WrapText("\xc3\xa4\xc3\xb6 \xc3\xbc\xc3\x9f", 5, 0),
            "\xc3\xa4\xc3\xb6 \xc3\xbc\xc3\x9f\n");
  EXPECT_EQ(WrapText("", 10, 2), "\n");
}

TEST(FitColumn, CutsTheMiddleAndCountsCharacters) {
  EXPECT_EQ(FitColumn("short", 10), "short");
  EXPECT_EQ(FitColumn("pgsql:/etc/postfix/virtual.cf", 12), "pgs~rtual.cf");
  EXPECT_EQ(FitColumn("abcdef", 1), "~");
  EXPECT_EQ(FitColumn("abcdef", 0), "");
  EXPECT_EQ(FitColumn("\xc3\xa4\xc3\xb6\xc3\xbc", 3), "\xc3\xa4\xc3\xb6\xc3\xbc");
  EXPECT_EQ(FitColumn("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f", 3), "~\xc3\xbc\xc3\x9f");
}

}  // namespace
}  // namespace proxymux::proxy
