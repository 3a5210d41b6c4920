#include "pgsql/pipeline/session_check.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace proxymux::pgsql {
namespace {

using config::Pooler;
using std::chrono::milliseconds;
using std::chrono::seconds;

// One row.
class Row final : public RowSource {
 public:
  explicit Row(std::vector<std::string> values) : values_(std::move(values)) {}
  std::size_t rows() const override { return 1; }
  std::size_t columns() const override { return values_.size(); }
  bool IsNull(std::size_t, std::size_t) const override { return false; }
  std::string_view Value(std::size_t, std::size_t column) const override { return values_[column]; }

 private:
  std::vector<std::string> values_;
};

bool Answer(SessionCheck& check, const std::vector<std::string>& values) {
  const Row row(values);
  StatementResult result;
  result.rows = &row;
  return check.OnAnswer(result);
}

void Refuse(SessionCheck& check) {
  StatementResult result;
  result.kind = StatementResult::Kind::kError;
  result.sqlstate = "42501";
  EXPECT_TRUE(check.OnAnswer(result));  // it is an answer
}

TEST(SessionCheckPooler, IsAssumedUntilTheProcessIsKnown) {
  SessionCheck check(Pooler::kAuto);
  check.OnConnected(17);
  EXPECT_TRUE(check.pooled());
  check.OnSent(Time(seconds(1)));
  EXPECT_TRUE(check.pooled());
  EXPECT_TRUE(Answer(check, {"17", "read committed", ""}));
  EXPECT_FALSE(check.pooled());
}

TEST(SessionCheckPooler, ShowsByAnotherProcessNowOrLater) {
  SessionCheck check(Pooler::kAuto);
  check.OnConnected(1);
  EXPECT_TRUE(Answer(check, {"17", "read committed", ""}));
  EXPECT_TRUE(check.pooled());
  EXPECT_TRUE(Answer(check, {"1", "read committed", ""}));
  EXPECT_TRUE(check.pooled());
  SessionCheck passed_on(Pooler::kAuto);
  passed_on.OnConnected(17);
  EXPECT_TRUE(Answer(passed_on, {"17", "read committed", ""}));
  EXPECT_TRUE(Answer(passed_on, {"18", "read committed", ""}));
  EXPECT_TRUE(passed_on.pooled());
}

TEST(SessionCheckPooler, ShowsByANumberThatNoProcessHas) {
  for (const int process : {0, -5, (1 << 22) + 1}) {
    SessionCheck check(Pooler::kAuto);
    check.OnConnected(process);
    EXPECT_TRUE(Answer(check, {std::to_string(process), "read committed", ""}));
    EXPECT_TRUE(check.pooled()) << process;
  }
  SessionCheck largest(Pooler::kAuto);
  largest.OnConnected(1 << 22);
  EXPECT_TRUE(Answer(largest, {std::to_string(1 << 22), "read committed", ""}));
  EXPECT_FALSE(largest.pooled());
}

TEST(SessionCheckPooler, IsWhatTheSettingSays) {
  SessionCheck yes(Pooler::kYes);
  yes.OnConnected(17);
  EXPECT_TRUE(Answer(yes, {"17", "read committed", ""}));
  EXPECT_TRUE(yes.pooled());
  SessionCheck no(Pooler::kNo);
  no.OnConnected(1);
  EXPECT_FALSE(no.pooled());
  EXPECT_TRUE(Answer(no, {"17", "read committed", ""}));
  EXPECT_FALSE(no.pooled());
}

TEST(SessionCheckQuestion, IsAskedFirstAndThenOnceASecondButNeverTwiceAtATime) {
  SessionCheck check(Pooler::kAuto);
  check.OnConnected(17);
  const Time start(seconds(100));
  EXPECT_TRUE(check.Due(start));
  check.OnSent(start);
  EXPECT_FALSE(check.Due(start + seconds(5)));
  EXPECT_TRUE(Answer(check, {"17", "read committed", ""}));
  EXPECT_FALSE(check.Due(start + milliseconds(999)));
  EXPECT_TRUE(check.Due(start + seconds(1)));
}

TEST(SessionCheckQuestion, ThatIsRefusedBecomesSmallerAndThenEnds) {
  SessionCheck check(Pooler::kAuto);
  check.OnConnected(17);
  const std::string all = check.sql();
  check.OnSent(Time(seconds(1)));
  Refuse(check);
  EXPECT_TRUE(check.Due(Time(seconds(1))));
  EXPECT_NE(check.sql(), all);
  check.OnSent(Time(seconds(1)));
  Refuse(check);
  EXPECT_FALSE(check.Due(Time(seconds(1000))));
  EXPECT_TRUE(check.pooled());
}

TEST(SessionCheckQuestion, AnotherStatementsAnswerIsNone) {
  SessionCheck check(Pooler::kAuto);
  check.OnConnected(17);
  EXPECT_FALSE(Answer(check, {"box@example.com"}));
  EXPECT_FALSE(Answer(check, {"17"}));
  EXPECT_FALSE(Answer(check, {"17 ", "read committed", ""}));
  EXPECT_FALSE(Answer(check, {"", "read committed", ""}));
  EXPECT_TRUE(check.pooled());
}

TEST(SessionCheckSettings, ThatChangedMakeTheSessionOutdatedForGood) {
  SessionCheck check(Pooler::kAuto);
  check.OnConnected(17);
  EXPECT_TRUE(Answer(check, {"17", "read committed", "731 740"}));
  EXPECT_TRUE(Answer(check, {"17", "read committed", "731 740"}));
  EXPECT_FALSE(check.outdated());
  EXPECT_TRUE(Answer(check, {"17", "read committed", "731"}));
  EXPECT_TRUE(check.outdated());
  EXPECT_FALSE(check.Due(Time(seconds(1000))));  // nothing would change that
}

TEST(SessionCheckSettings, AreNotMissedWhenTheyCanNoLongerBeAsked) {
  SessionCheck check(Pooler::kAuto);
  check.OnConnected(17);
  EXPECT_TRUE(Answer(check, {"17", "read committed", "731"}));
  Refuse(check);
  EXPECT_TRUE(Answer(check, {"17", "read committed", ""}));
  EXPECT_FALSE(check.outdated());
}

TEST(SessionCheckSettings, TellOfSerializableTransactions) {
  SessionCheck check(Pooler::kAuto);
  check.OnConnected(17);
  EXPECT_TRUE(Answer(check, {"17", "repeatable read", ""}));
  EXPECT_FALSE(check.serializable());
  EXPECT_TRUE(Answer(check, {"17", "serializable", ""}));
  EXPECT_TRUE(check.serializable());
}

}  // namespace
}  // namespace proxymux::pgsql
