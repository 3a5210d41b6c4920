#include "pgsql/work/work.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <vector>

namespace proxymux::pgsql {
namespace {

std::vector<const Work*> Forward(const WorkList& list) {
  std::vector<const Work*> all;
  for (const Work* work = list.front(); work != nullptr; work = WorkList::Next(work)) {
    EXPECT_EQ(WorkList::ListOf(work), &list);
    all.push_back(work);
  }
  EXPECT_EQ(all.size(), list.size());
  EXPECT_EQ(all.empty(), list.empty());
  EXPECT_EQ(list.back(), all.empty() ? nullptr : all.back());
  return all;
}

using Pointers = std::vector<const Work*>;

TEST(WorkList, TakesAtBothEnds) {
  std::array<Work, 3> work;
  WorkList list;
  EXPECT_TRUE(Forward(list).empty());
  list.PushBack(&work[1]);
  list.PushFront(&work[0]);
  list.PushBack(&work[2]);
  EXPECT_EQ(Forward(list), (Pointers{&work[0], &work[1], &work[2]}));
}

TEST(WorkList, AWaiterLeavesFromAnywhere) {
  std::array<Work, 3> work;
  for (const std::vector<std::size_t>& order :
       {std::vector<std::size_t>{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {1, 2, 0}}) {
    WorkList list;
    for (Work& one : work) list.PushBack(&one);
    for (std::size_t i : order) {
      WorkList::Remove(&work[i]);
      EXPECT_EQ(WorkList::ListOf(&work[i]), nullptr);
      const Pointers left = Forward(list);
      EXPECT_EQ(std::count(left.begin(), left.end(), &work[i]), 0);
    }
    EXPECT_TRUE(list.empty());
  }
  WorkList::Remove(&work[0]);  // in no list: nothing happens
}

TEST(WorkList, AWorkStandsInOneListOnly) {
  std::array<Work, 2> work;
  WorkList queue, in_flight;
  queue.PushBack(&work[0]);
  queue.PushBack(&work[1]);
  in_flight.PushBack(&work[0]);
  EXPECT_EQ(Forward(queue), (Pointers{&work[1]}));
  EXPECT_EQ(Forward(in_flight), (Pointers{&work[0]}));
  queue.PushFront(&work[1]);  // again into its own
  EXPECT_EQ(Forward(queue), (Pointers{&work[1]}));
}

TEST(WorkList, KeepsTheOrderOfSubmission) {
  std::vector<Work> work(200);
  for (std::size_t i = 0; i < work.size(); ++i) work[i].sequence = i;
  std::vector<Work*> shuffled;
  for (Work& one : work) shuffled.push_back(&one);
  std::shuffle(shuffled.begin(), shuffled.end(), std::minstd_rand(7));
  WorkList list;
  for (Work* one : shuffled) list.InsertInOrder(one);
  for (Work* one : shuffled) list.InsertInOrder(one);  // moving does not change it
  const Pointers all = Forward(list);
  ASSERT_EQ(all.size(), work.size());
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i]->sequence, i);
}

TEST(WorkList, QuestionsStandInTheOrderInWhichTheyCame) {
  std::array<Work, 3> work;  // all of one sequence
  WorkList list;
  for (Work& one : work) list.InsertInOrder(&one);
  EXPECT_EQ(Forward(list), (Pointers{&work[0], &work[1], &work[2]}));
}

}  // namespace
}  // namespace proxymux::pgsql
