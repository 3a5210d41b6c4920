#include "protocol/dict_flags.h"

#include <gtest/gtest.h>

namespace proxymux::protocol {
namespace {

TEST(DictFlags, OpenRepliesAsCapturedOnPostfix312) {
  EXPECT_EQ(OpenReplyFlags(0, true), 16u);
  EXPECT_EQ(OpenReplyFlags(16448, true), 16464u);
  EXPECT_EQ(OpenReplyFlags(524288, true), 1572880u);
  EXPECT_EQ(OpenReplyFlags(540736, true), 1589328u);
  EXPECT_EQ(OpenReplyFlags(540737, true), 1589329u);
}

TEST(DictFlags, WithoutSmtputf8TheRequestIsEchoedButTakesNoEffect) {
  EXPECT_EQ(OpenReplyFlags(524288, false), 524304u);
  EXPECT_FALSE(Utf8Active(524288, false));
  EXPECT_TRUE(Utf8Active(524288, true));
  EXPECT_FALSE(Utf8Active(~kFlagUtf8Request, true));
}

TEST(DictFlags, NoFlagThatWasAskedForIsMissingInTheReply) {
  for (int bit = 0; bit < 32; ++bit) {
    const std::uint32_t flag = 1u << bit;
    EXPECT_EQ(OpenReplyFlags(flag, true) & flag, flag) << bit;
  }
  EXPECT_EQ(OpenReplyFlags(4294967295u, true), 4294967295u);
}

TEST(DictFlags, WhoFolds) {
  EXPECT_FALSE(FoldsKey(524353, true)) << "a 3.7 client has folded already";
  EXPECT_TRUE(FoldsKey(540737, false)) << "a 3.7 client with smtputf8_enable = no leaves it to us";
  EXPECT_TRUE(FoldsKey(1589329, true)) << "a 3.12 client leaves it to us";
  EXPECT_FALSE(FoldsKey(1572945, true)) << "postmap -f";
  EXPECT_FALSE(FoldsKey(kFlagFoldFix, true)) << "with UTF-8 active only together with FIXED";
  EXPECT_FALSE(FoldsKey(kFlagFoldMul | kFlagFixed, false)) << "FOLD_MUL is for patterns";
}

TEST(DictFlags, NamesForLogs) {
  EXPECT_EQ(FlagNames(0), "0");
  EXPECT_EQ(FlagNames(16464), "FIXED|LOCK|FOLD_FIX");
  EXPECT_EQ(FlagNames(1589329), "DUP_WARN|FIXED|LOCK|FOLD_FIX|UTF8_REQUEST|UTF8_ACTIVE");
  EXPECT_EQ(FlagNames(kFlagPattern | kFlagSurrogate), "PATTERN|SURROGATE");
  EXPECT_EQ(FlagNames(kFlagNoProxy | kFlagSrcRhsIsFile), "NO_PROXY|SRC_RHS_IS_FILE");
  EXPECT_EQ(FlagNames(kFlagFoldMul | 1u << 31 | 1u << 10), "FOLD_MUL|0x80000400");
  EXPECT_EQ(FlagNames(1u << 31), "0x80000000");
}

}  // namespace
}  // namespace proxymux::protocol
