#include "proxy/tables/table_failures.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>

namespace proxymux::proxy {
namespace {

const pgsql::RealTime kNow{std::chrono::hours(1)};

std::string Shown(const std::string& key, const std::string& words,
                  const std::string& state = " (SQLSTATE 42703)") {
  const std::string host = "db1.example.net";
  const std::string reason = host + ": " + words + state;
  pgsql::Answer answer{pgsql::Outcome::kConfig, {}, reason};
  answer.origin.host = host;
  answer.key = key;
  return ErrorWithoutKey(answer);
}

TEST(TableFailures, FailingFromTheFifthInARowUntilOneIsAnswered) {
  TableFailures failures;
  for (int i = 1; i < 5; ++i) {
    failures.OnFailed("error " + std::to_string(i), kNow);
    EXPECT_FALSE(failures.failing()) << i;
  }
  EXPECT_EQ(TableFailures().failed_at(), std::nullopt);
  failures.OnFailed("error 5", kNow + std::chrono::seconds(1));
  EXPECT_TRUE(failures.failing());
  EXPECT_EQ(failures.in_a_row(), 5u);
  EXPECT_EQ(failures.error(), "error 5");
  failures.OnAnswered();
  EXPECT_FALSE(failures.failing());
  EXPECT_EQ(failures.in_a_row(), 0u);
  // What it was, and when, is told all the same.
  EXPECT_EQ(failures.error(), "error 5");
  EXPECT_EQ(failures.failed_at(), kNow + std::chrono::seconds(1));
}

TEST(TableFailures, TheServersWordsAreShownWhenTheyHaveNothingOfTheKey) {
  EXPECT_EQ(Shown("user@example.com", "ERROR: column \"goto\" does not exist"),
            "db1.example.net: ERROR: column \"goto\" does not exist (SQLSTATE 42703)");
  EXPECT_EQ(Shown("a@b.org", "permission denied for table alias", " (SQLSTATE 42501)"),
            "db1.example.net: permission denied for table alias (SQLSTATE 42501)");
}

TEST(TableFailures, AKeyIsNotShownHoweverTheServerQuotesIt) {
  const std::string hidden =
      "db1.example.net: an error that names the key; the log has it (SQLSTATE 42703)";
  for (const char* words :
       {"invalid input syntax for type integer: \"user@example.com\"", "no such thing: USER",
        "column \"user\" does not exist", "no rows for mailbox_user_7", "bad domain example",
        "syntax error at or near \"com\""}) {
    EXPECT_EQ(Shown("User@Example.COM", words), hidden) << words;
  }
  const std::string longest(200, 'n');
  EXPECT_EQ(Shown(longest + "@x.org", "column \"" + longest.substr(0, 63) + "\" does not exist"),
            hidden);
  EXPECT_EQ(Shown("m\xc3\xbcller@x.org", "nobody is called m\xc3\xbcller"), hidden);
  // No byte above ASCII parts a word: the halves of this one would be too short to tell.
  EXPECT_EQ(Shown("l\xc3\x80n@x.org", "no rows for xl\xc3\x80n7"), hidden);
}

TEST(TableFailures, WithoutAHostOrAServersWords) {
  pgsql::Answer late{pgsql::Outcome::kRetry, {}, "no answer within lookup_timeout"};
  late.key = "user@example.com";
  EXPECT_EQ(ErrorWithoutKey(late), "no answer within lookup_timeout");
  EXPECT_EQ(ErrorWithoutKey({pgsql::Outcome::kFound, "\xff", {}}), "the result is not valid UTF-8");
}

}  // namespace
}  // namespace proxymux::proxy
