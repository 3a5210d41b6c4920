// Who stands in which line, and what becomes of that when a table's line changes.
#include "pgsql/work/work_queues.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/pgsql/work/work_queues_world.h"

namespace proxymux::pgsql {
namespace {

using Queue = WorkQueues::Queue;

class WorkQueuesTest : public WorkQueuesWorld {
 protected:
  static std::vector<const Work*> All(const WorkList& list) {
    std::vector<const Work*> all;
    for (const Work* work = list.front(); work != nullptr; work = WorkList::Next(work)) {
      all.push_back(work);
    }
    return all;
  }
  std::vector<const TableBinding*> Tables(Line line) const {
    std::vector<const TableBinding*> all;
    const auto& tables = queues.TablesOf(line);
    for (const auto* table = tables.front(); table != nullptr;
         table = WorkQueues::Tables::Next(table)) {
      all.push_back(table);
    }
    return all;
  }
  using List = std::vector<const Work*>;
  using Names = std::vector<const TableBinding*>;
};

TEST_F(WorkQueuesTest, EachLineIsOfOneQueue) {
  EXPECT_EQ(WorkQueues::QueueOf(Line::kShared), Queue::kShared);
  EXPECT_EQ(WorkQueues::QueueOf(Line::kLoan), Queue::kOwn);
  EXPECT_EQ(WorkQueues::QueueOf(Line::kOwn), Queue::kOwn);
  EXPECT_EQ(WorkQueues::QueueOf(Line::kUnmeasured), Queue::kSlow);
  EXPECT_EQ(WorkQueues::QueueOf(Line::kSlow), Queue::kSlow);
  EXPECT_EQ(WorkQueues::QueueOf(Line::kSlowMore), Queue::kSlow);
}

TEST_F(WorkQueuesTest, WhoSharesStandsInOneLineBehindTheQuestions) {
  const auto one = Table(Line::kShared);
  const auto other = Table(Line::kShared);
  Work* first = Add(one);
  Work* second = Add(other);
  Work* third = Add(one);
  Work* question = Question(Table(Line::kOwn));
  EXPECT_EQ(All(queues.Shared()), (List{question, first, second, third}));
  EXPECT_EQ(queues.size(), 4U);
  EXPECT_EQ(queues.questions(), 1U);
  EXPECT_EQ(queues.lookups(Queue::kShared), 3U);
  EXPECT_EQ(queues.lookups(Queue::kOwn), 0U);
  queues.Remove(question);
  queues.Remove(second);
  queues.Remove(second);  // does not wait any more: nothing happens
  EXPECT_EQ(All(queues.Shared()), (List{first, third}));
  EXPECT_EQ(queues.questions(), 0U);
  EXPECT_EQ(queues.lookups(Queue::kShared), 2U);
  EXPECT_FALSE(queues.Holds(second));
  EXPECT_TRUE(queues.Holds(third));
}

TEST_F(WorkQueuesTest, TablesOfALineTakeTurns) {
  const auto one = Table(Line::kOwn);
  const auto other = Table(Line::kOwn);
  const auto third = Table(Line::kSlow);
  Work* first = Add(one);
  Work* second = Add(one);
  Work* single = Add(other);
  Add(third);
  EXPECT_EQ(Tables(Line::kOwn), (Names{one.get(), other.get()}));
  EXPECT_EQ(Tables(Line::kSlow), (Names{third.get()}));
  EXPECT_EQ(All(one->waiting), (List{first, second}));
  queues.ToTheBack(one.get());
  EXPECT_EQ(Tables(Line::kOwn), (Names{other.get(), one.get()}));
  queues.Remove(first);
  EXPECT_EQ(Tables(Line::kOwn), (Names{other.get(), one.get()}));
  queues.Remove(single);
  EXPECT_EQ(Tables(Line::kOwn), (Names{one.get()}));
  queues.ToTheBack(other.get());  // has nothing that waits
  EXPECT_EQ(Tables(Line::kOwn), (Names{one.get()}));
  EXPECT_EQ(queues.lookups(Queue::kOwn), 1U);
  EXPECT_EQ(queues.lookups(Queue::kSlow), 1U);
}

TEST_F(WorkQueuesTest, WhatWasSentBeforeStandsBesideInTheOrderOfSubmission) {
  for (const Line line : {Line::kShared, Line::kOwn, Line::kSlowMore}) {
    const Queue queue = WorkQueues::QueueOf(line);
    const auto table = Table(line);
    Work* first = Add(table);
    Work* second = Add(table);
    Work* third = Add(table);
    ComesBack(second);
    ComesBack(first);
    EXPECT_EQ(All(queues.Again(queue)), (List{first, second}));
    EXPECT_EQ(queues.lookups(queue), 3U);
    EXPECT_EQ(queues.Head(queue), first);
    queues.Remove(first);
    queues.Remove(second);
    EXPECT_EQ(queues.Head(queue), third);
    queues.Remove(third);
    EXPECT_EQ(queues.Head(queue), nullptr);
    EXPECT_TRUE(queues.empty());
  }
}

TEST_F(WorkQueuesTest, AQuestionThatComesBackIsNoLookup) {
  Work* question = Question(Table(Line::kSlow));
  ComesBack(question);
  EXPECT_EQ(All(queues.Again(Queue::kShared)), (List{question}));
  EXPECT_EQ(queues.questions(), 1U);
  EXPECT_EQ(queues.lookups(Queue::kShared), 0U);
  EXPECT_EQ(queues.lookups(Queue::kSlow), 0U);
  EXPECT_EQ(queues.Youngest(), nullptr);
}

TEST_F(WorkQueuesTest, TheHeadIsTheEarliestOfThoseThatAreNext) {
  const auto loan = Table(Line::kLoan);
  const auto own = Table(Line::kOwn);
  Work* first = Add(own);
  Work* second = Add(loan);
  EXPECT_EQ(queues.Head(Queue::kOwn), first);
  EXPECT_EQ(queues.Head(Queue::kShared), nullptr);
  EXPECT_EQ(queues.Head(Queue::kSlow), nullptr);
  queues.Remove(first);
  EXPECT_EQ(queues.Head(Queue::kOwn), second);
  Work* shared = Add(Table(Line::kShared));
  EXPECT_EQ(queues.Head(Queue::kShared), shared);
  EXPECT_EQ(queues.Head(Queue::kOwn), second);
}

TEST_F(WorkQueuesTest, ATableThatLeavesTheSharedLineTakesItsLookupsAlong) {
  const auto table = Table(Line::kShared);
  const auto other = Table(Line::kShared);
  Work* first = Add(table);
  Work* stays = Add(other);
  Work* second = Add(table);
  Work* sent = Add(table);
  ComesBack(sent);
  Work* question = Question(table);
  queues.SetLine(table.get(), Line::kOwn);
  EXPECT_EQ(table->line, Line::kOwn);
  EXPECT_EQ(All(queues.Shared()), (List{question, stays}));
  EXPECT_EQ(All(table->waiting), (List{first, second}));
  EXPECT_EQ(All(queues.Again(Queue::kOwn)), (List{sent}));
  EXPECT_EQ(All(queues.Again(Queue::kShared)), (List{}));
  EXPECT_EQ(Tables(Line::kOwn), (Names{table.get()}));
  EXPECT_EQ(queues.lookups(Queue::kOwn), 3U);
  EXPECT_EQ(queues.lookups(Queue::kShared), 1U);
  EXPECT_EQ(queues.questions(), 1U);
  EXPECT_EQ(queues.size(), 5U);
}

TEST_F(WorkQueuesTest, ATableThatComesIntoTheSharedLineStandsByTheOrderOfSubmission) {
  const auto table = Table(Line::kLoan);
  const auto other = Table(Line::kShared);
  Work* sent = Add(table);
  Work* first = Add(other);
  Work* second = Add(table);
  Work* third = Add(other);
  Work* fourth = Add(table);
  ComesBack(sent);
  queues.SetLine(table.get(), Line::kShared);
  EXPECT_EQ(All(queues.Shared()), (List{first, second, third, fourth}));
  EXPECT_EQ(All(queues.Again(Queue::kShared)), (List{sent}));
  EXPECT_TRUE(table->waiting.empty());
  EXPECT_EQ(Tables(Line::kLoan), (Names{}));
  EXPECT_EQ(queues.lookups(Queue::kShared), 5U);
  EXPECT_EQ(queues.lookups(Queue::kOwn), 0U);
  for (Work* work : {sent, first, second, third, fourth}) queues.Remove(work);
  EXPECT_EQ(queues.lookups(Queue::kShared), 0U);
  EXPECT_TRUE(queues.empty());
}

TEST_F(WorkQueuesTest, FromOneLineOfAQueueToTheOtherATableGoesToTheBack) {
  const auto table = Table(Line::kSlow);
  const auto other = Table(Line::kSlowMore);
  Work* first = Add(table);
  Add(other);
  Work* sent = Add(table);
  ComesBack(sent);
  queues.SetLine(table.get(), Line::kSlowMore);
  EXPECT_EQ(Tables(Line::kSlow), (Names{}));
  EXPECT_EQ(Tables(Line::kSlowMore), (Names{other.get(), table.get()}));
  EXPECT_EQ(All(table->waiting), (List{first}));
  EXPECT_EQ(All(queues.Again(Queue::kSlow)), (List{sent}));
  EXPECT_EQ(queues.lookups(Queue::kSlow), 3U);
  const auto empty = Table(Line::kSlow);
  queues.SetLine(empty.get(), Line::kUnmeasured);
  EXPECT_EQ(Tables(Line::kUnmeasured), (Names{}));
  EXPECT_EQ(empty->line, Line::kUnmeasured);
}

TEST_F(WorkQueuesTest, QuestionsKeepTheirOrder) {
  const auto table = Table(Line::kShared);
  Add(table);
  const Work* one = Question(table);
  const Work* two = Question(table);
  EXPECT_EQ(queues.Shared().front(), one);
  EXPECT_EQ(WorkList::Next(one), two);
}

TEST_F(WorkQueuesTest, TablesMayLiveLonger) {
  const auto table = Table(Line::kOwn);
  {
    WorkQueues of_a_pool;
    of_a_pool.Add(New(table), now);
    EXPECT_EQ(table->waiting.size(), 1U);
  }
  EXPECT_TRUE(table->waiting.empty());
  EXPECT_FALSE(WorkQueues::Tables::InSome(table.get()));
  Add(table);
  EXPECT_EQ(Tables(Line::kOwn), (Names{table.get()}));
}

}  // namespace
}  // namespace proxymux::pgsql
