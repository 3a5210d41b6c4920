#include "tests/golden/transcript.h"

#include <gtest/gtest.h>

#include <string>

namespace proxymux::golden {
namespace {

using std::string_literals::operator""s;

TEST(Transcript, EveryByteSurvivesEscaping) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  bytes += "\0001\\x41\\0"s;
  EXPECT_EQ(Unescape(Escape(bytes)), bytes);
}

TEST(Transcript, ADigitAfterANulIsTheNextCharacter) {
  EXPECT_EQ(Unescape("status\\00\\0"), "status\0000\0"s);
  EXPECT_EQ(Unescape("o'brien\\\\x@\\xff"), "o'brien\\x@\xff");
}

TEST(Transcript, WrongEscapesAreRefused) {
  for (const char* text : {"\\", "\\n", "\\x", "\\x1", "\\xg1", "\\x-1", "tab\t", "\xc3\x96"}) {
    EXPECT_EQ(Unescape(text), std::nullopt) << text;
  }
}

TEST(Transcript, ConversationsAreKeptApart) {
  std::string error;
  const auto transcript = ParseTranscript(
      "x.txt",
      "# what was run\n# connection 4\nS a\nC b\n\n# connection 7\nS c\n# connection 4\nS d",
      &error);
  ASSERT_TRUE(transcript) << error;
  EXPECT_EQ(transcript->comments, std::vector<std::string>{"what was run"});
  ASSERT_EQ(transcript->conversations.size(), 2u);
  const Conversation& first = transcript->conversations[0];
  EXPECT_EQ(first.number, 4);
  ASSERT_EQ(first.turns.size(), 3u);
  EXPECT_EQ(first.turns[1].sender, Sender::kClient);
  EXPECT_EQ(first.turns[2].bytes, "d");
  EXPECT_EQ(first.turns[2].line, 9u);
  EXPECT_EQ(transcript->conversations[1].turns.size(), 1u);
}

TEST(Transcript, ErrorsNameTheLine) {
  std::string error;
  EXPECT_FALSE(ParseTranscript("x.txt", "S a\nX b\n", &error));
  EXPECT_TRUE(error.starts_with("x.txt:2: ")) << error;
  EXPECT_FALSE(ParseTranscript("x.txt", "S a\\q\n", &error));
  EXPECT_TRUE(error.starts_with("x.txt:1: ")) << error;
  EXPECT_FALSE(ParseTranscript("x.txt", "\n# connection one\n", &error));
  EXPECT_TRUE(error.starts_with("x.txt:2: ")) << error;
  EXPECT_FALSE(ReadTranscript("/nonexistent/x.txt", &error));
  EXPECT_TRUE(error.starts_with("/nonexistent/x.txt: ")) << error;
}

}  // namespace
}  // namespace proxymux::golden
