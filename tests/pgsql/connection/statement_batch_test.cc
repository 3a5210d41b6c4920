// Where batches begin and end, and what becomes of works that a connection does not take.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "pgsql/connection/statement_sender.h"
#include "tests/pgsql/connection/sender_world.h"

namespace proxymux::pgsql {
namespace {

using config::StatementMode;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Strings = std::vector<std::string>;
using Types = std::vector<std::uint32_t>;

class StatementBatchTest : public SenderWorld {};

TEST_F(StatementBatchTest, WhatSharesIsOneBatch) {
  EXPECT_TRUE(EndBatch());  // none is open
  EXPECT_EQ(sender.syncs(), 0U);
  const auto table = Table(StatementMode::kLegacy);
  Work* first = Lookup(table);
  Work* second = Lookup(table);
  ASSERT_TRUE(Send(first));
  ASSERT_TRUE(Send(second));
  EXPECT_TRUE(EndBatch());
  EXPECT_TRUE(EndBatch());
  Work* third = Lookup(table);
  ASSERT_TRUE(Send(third));
  EXPECT_EQ(upstream->history(), "SS|S");
  EXPECT_EQ(sender.syncs(), 1U);
  EXPECT_EQ(upstream->commits(), 0);
  EXPECT_EQ(first->batch, second->batch);
  EXPECT_NE(second->batch, third->batch);
  EXPECT_EQ(counted, (std::vector<Work*>{first, second, third}));
}

TEST_F(StatementBatchTest, WhatGoesAloneIsABatchOfItsOwn) {
  const auto table = Table(StatementMode::kLegacy);
  Work* before = Lookup(table);
  Work* alone = Lookup(table);
  Work* in_lane = Lookup(table);
  Work* after = Lookup(table);
  alone->needs.alone = true;
  in_lane->in_lane = true;
  for (Work* work : {before, alone, in_lane, after}) ASSERT_TRUE(Send(work));
  EXPECT_EQ(upstream->history(), "S|S|S|S");
  EXPECT_EQ(sender.syncs(), 3U);
  EXPECT_LT(before->batch, alone->batch);
  EXPECT_LT(alone->batch, in_lane->batch);
  EXPECT_LT(in_lane->batch, after->batch);
}

TEST_F(StatementBatchTest, ABatchThatMayHaveWrittenIsCommitted) {
  const auto table = Table(StatementMode::kLegacy);
  Work* write = Lookup(table);
  write->needs.may_write = true;
  ASSERT_TRUE(Send(write));
  ASSERT_TRUE(Send(Lookup(table)));  // it reads, in that batch
  EXPECT_TRUE(EndBatch());
  EXPECT_EQ(upstream->commits(), 1);
  ASSERT_TRUE(Send(Lookup(table)));
  EXPECT_TRUE(EndBatch());
  EXPECT_EQ(upstream->commits(), 1);
  EXPECT_EQ(upstream->history(), "SS|S|");
  EXPECT_EQ(sender.syncs(), 2U);
}

TEST_F(StatementBatchTest, AScriptIsTextAndABatchByItself) {
  const auto table = Table(StatementMode::kLegacy, "SELECT 1; SELECT v FROM t WHERE k = '%s'");
  Work* first = Lookup(table, "o'brien");
  ASSERT_TRUE(Send(first));
  EXPECT_EQ(upstream->history(), "X");
  EXPECT_EQ(upstream->oldest()->sql, "SELECT 1; SELECT v FROM t WHERE k = 'o''brien'");
  EXPECT_EQ(counted, std::vector<Work*>{first});
  AnswerAll();
  Work* second = Lookup(table);
  ASSERT_TRUE(Send(second));
  EXPECT_LT(first->batch, second->batch);
  AnswerAll();
  Work* other = Lookup(Table(StatementMode::kLegacy));
  ASSERT_TRUE(Send(other));
  EXPECT_LT(second->batch, other->batch);
  AnswerAll();
  upstream->BreakSending();
  EXPECT_FALSE(Send(Lookup(table)));
  EXPECT_EQ(counted.size(), 3U);
}

TEST_F(StatementBatchTest, APrepareIsTheFirstOfItsBatch) {
  Work* before = Lookup(Table(StatementMode::kLegacy));
  Work* work = Lookup(Table(StatementMode::kAuto));
  ASSERT_TRUE(Send(before));
  ASSERT_TRUE(Send(work));
  EXPECT_EQ(upstream->history(), "S|PE");
  ASSERT_EQ(counted.size(), 3U);
  EXPECT_LT(before->batch, counted[1]->batch);
  EXPECT_EQ(counted[1]->batch, work->batch);
}

TEST_F(StatementBatchTest, TwoAreDeallocatedAtOnceEachInABatchOfItsOwn) {
  for (std::uint64_t i = 1; i <= 3; ++i) connection->prepared.Add(i, "left_over", now);
  connection->prepared.RetireAll();
  const auto table = Table(StatementMode::kAuto, kQuery, WriteClass::kMayWrite);
  ASSERT_TRUE(Send(Lookup(table)));
  EXPECT_EQ(upstream->history(), "S|S|PE");
  EXPECT_EQ(upstream->commits(), 0);  // nothing is written by them
  ASSERT_EQ(counted.size(), 4U);
  EXPECT_LT(counted[0]->batch, counted[1]->batch);
  EXPECT_LT(counted[1]->batch, counted[2]->batch);
  EXPECT_TRUE(connection->prepared.TakeLeftOver().has_value());
  EXPECT_FALSE(connection->prepared.TakeLeftOver().has_value());
}

TEST_F(StatementBatchTest, AQuestionIsABatchOfItsOwn) {
  const auto table = Table(StatementMode::kLegacy);
  const char* const values[] = {"t", "f"};
  Work* before = Lookup(table);
  Work* question = Lookup(table);
  question->kind = Kind::kClassify;
  ASSERT_TRUE(Send(before));
  ASSERT_TRUE(sender.SendQuestion(*connection, question, "SELECT $1, $2", values));
  EXPECT_EQ(upstream->history(), "S|S|");
  EXPECT_EQ(upstream->commits(), 0);
  EXPECT_LT(before->batch, question->batch);
  EXPECT_EQ(counted, (std::vector<Work*>{before, question}));
  upstream->Answer("");
  EXPECT_EQ(upstream->oldest()->sql, "SELECT $1, $2");
  EXPECT_EQ(upstream->oldest()->parameters, (Strings{"t", "f"}));
}

// Whatever the connection does not take: each work that was made is in flight, or was handed back.
class RefusalTest : public StatementBatchTest {
 protected:
  // A connection with a batch open and two statements left over, which takes so many calls more.
  void Break(int taken) {
    Open();
    connection->prepared.Add(1, "old", now);
    connection->prepared.Add(2, "old", now);
    connection->prepared.RetireAll();
    ASSERT_TRUE(Send(Lookup(Table(StatementMode::kLegacy))));
    works_before = works.size();
    counted.clear();
    recycled.clear();
    upstream->BreakSending(taken);
  }
  // Of what was sent since.
  std::string History() const { return upstream->history().substr(1); }
  std::size_t Made() const { return works.size() - works_before - 1; }  // but for the lookup
  std::size_t CountedBut(const Work* lookup) const {
    return counted.size() - static_cast<std::size_t>(std::ranges::count(counted, lookup));
  }

  std::size_t works_before = 0;
};

TEST_F(RefusalTest, AtAnyStepOfALookupHandsTheWorkBack) {
  for (const bool alone : {true, false}) {
    const std::string all = alone ? "|S|S|PE|" : "|S|S|PE";
    for (std::size_t step = 0; step <= all.size(); ++step) {
      SCOPED_TRACE(all.substr(0, step));
      Break(static_cast<int>(step));
      Work* work = Lookup(Table(StatementMode::kAuto));
      work->needs.alone = alone;
      EXPECT_EQ(Send(work), step == all.size());
      EXPECT_EQ(History(), all.substr(0, step));
      EXPECT_EQ(Made(), CountedBut(work) + recycled.size());
      const bool refuses_own = step < all.size() && (all[step] == 'S' || all[step] == 'P');
      EXPECT_EQ(recycled.size(), refuses_own ? 1U : 0U);
      EXPECT_EQ(std::ranges::count(counted, work), step > all.find('E') ? 1 : 0);
    }
  }
}

TEST_F(RefusalTest, AtAnyStepOfAQuestionIsTold) {
  const std::string all = "|S|";
  for (std::size_t step = 0; step <= all.size(); ++step) {
    SCOPED_TRACE(all.substr(0, step));
    Break(static_cast<int>(step));
    Work* question = Lookup(Table(StatementMode::kAuto));
    question->kind = Kind::kClassify;
    EXPECT_EQ(sender.SendQuestion(*connection, question, "SELECT 1", {}), step == all.size());
    EXPECT_EQ(History(), all.substr(0, step));
    EXPECT_EQ(counted.size(), step > 1 ? 1U : 0U);
  }
}

TEST_F(RefusalTest, OfTextOrOfParametersIsTold) {
  for (const StatementMode mode : {StatementMode::kLegacy, StatementMode::kParameterized}) {
    Break(0);
    EXPECT_FALSE(Send(Lookup(Table(mode))));
    EXPECT_TRUE(counted.empty());
  }
}

TEST_F(RefusalTest, OfACommitIsTold) {
  Open();
  Work* write = Lookup(Table(StatementMode::kLegacy));
  write->needs.may_write = true;
  ASSERT_TRUE(Send(write));
  upstream->BreakSyncing();
  EXPECT_FALSE(EndBatch());
  EXPECT_EQ(upstream->commits(), 1);
}

}  // namespace
}  // namespace proxymux::pgsql
