#include "pgsql/work/lookup_deadlines.h"

#include <gtest/gtest.h>

#include <deque>

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;

Time At(int when) { return Time() + milliseconds(when); }

class LookupDeadlinesTest : public testing::Test {
 protected:
  Work* Add(int submitted, int timeout) {
    Work& work = works.emplace_back();
    work.submitted = At(submitted);
    deadlines.Add(&work, milliseconds(timeout));
    return &work;
  }

  std::deque<Work> works;
  LookupDeadlines deadlines;
};

TEST_F(LookupDeadlinesTest, EachIsTakenOnceWhenItsTimeIsOver) {
  Work* first = Add(0, 10);
  Work* second = Add(5, 10);
  EXPECT_EQ(deadlines.TakeDue(At(9)), nullptr);
  EXPECT_EQ(deadlines.TakeDue(At(10)), first);
  EXPECT_EQ(deadlines.TakeDue(At(14)), nullptr);
  EXPECT_EQ(deadlines.TakeDue(At(15)), second);
  EXPECT_EQ(deadlines.TakeDue(At(1000)), nullptr);
}

TEST_F(LookupDeadlinesTest, AShortOneDoesNotWaitForALongOneBeforeIt) {
  Work* slow = Add(0, 1000);
  Work* quick = Add(1, 10);
  EXPECT_EQ(deadlines.TakeDue(At(11)), quick);
  EXPECT_EQ(deadlines.TakeDue(At(999)), nullptr);
  EXPECT_EQ(deadlines.TakeDue(At(1000)), slow);
}

TEST_F(LookupDeadlinesTest, WhoLeavesIsNotTaken) {
  Work* first = Add(0, 10);
  Work* second = Add(0, 10);
  LookupDeadlines::Remove(first);
  LookupDeadlines::Remove(first);  // is not there: nothing happens
  EXPECT_EQ(deadlines.TakeDue(At(10)), second);
  EXPECT_EQ(deadlines.TakeDue(At(10)), nullptr);
}

TEST_F(LookupDeadlinesTest, LengthsThatNobodyAsksForAreForgotten) {
  Work* stays = Add(0, 5000);
  for (int timeout = 1; timeout <= 1000; ++timeout) LookupDeadlines::Remove(Add(0, timeout));
  EXPECT_LE(deadlines.lengths(), LookupDeadlines::kManyLengths + 1);
  EXPECT_EQ(deadlines.TakeDue(At(5000)), stays);
}

TEST_F(LookupDeadlinesTest, TheyAreForgottenOnceThereAreTooMany) {
  const int many = static_cast<int>(LookupDeadlines::kManyLengths);
  for (int timeout = 1; timeout <= many + 1; ++timeout) LookupDeadlines::Remove(Add(0, timeout));
  EXPECT_EQ(deadlines.lengths(), LookupDeadlines::kManyLengths + 1);
  Add(0, many + 2);
  EXPECT_EQ(deadlines.lengths(), 1U);
}

}  // namespace
}  // namespace proxymux::pgsql
