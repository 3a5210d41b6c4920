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
  constexpr Dialect kOld = Dialect::kLegacy;
  constexpr Dialect kNew = Dialect::kInstanceFlags;
  EXPECT_EQ(FoldingOf(524353, true, kOld), Folding::kNone) << "a 3.7 client has folded already";
  EXPECT_EQ(FoldingOf(540737, false, kOld), Folding::kAscii)
      << "a 3.7 client with smtputf8_enable = no leaves it to us";
  EXPECT_EQ(FoldingOf(540737, true, kOld), Folding::kAscii) << "also when it is on for us";
  EXPECT_EQ(FoldingOf(1589329, true, kNew), Folding::kUnicode) << "a 3.12 client leaves it to us";
  EXPECT_EQ(FoldingOf(1572945, true, kNew), Folding::kNone) << "postmap -f";
  EXPECT_EQ(FoldingOf(kFlagFoldFix, true, kNew), Folding::kNone)
      << "with UTF-8 active only together with FIXED";
  EXPECT_EQ(FoldingOf(kFlagFoldMul | kFlagFixed, false, kNew), Folding::kNone)
      << "FOLD_MUL is for patterns";
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
