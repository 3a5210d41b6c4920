// What came first, last, or since the queues were looked at, whatever line it stands in.
#include <gtest/gtest.h>

#include <chrono>

#include "pgsql/work/work_queues.h"
#include "tests/pgsql/work/work_queues_world.h"

namespace proxymux::pgsql {
namespace {

Time At(int milliseconds) { return Time() + std::chrono::milliseconds(milliseconds); }

class WorkQueuesAgeTest : public WorkQueuesWorld {};

TEST_F(WorkQueuesAgeTest, TheAgeCountsFromTheComing) {
  const auto table = Table(Line::kShared);
  Work* first = Add(table);
  now = At(1);
  Work* second = Add(Table(Line::kSlow));
  now = At(2);
  queues.Add(first, now);  // again
  EXPECT_EQ(queues.Oldest(), second);
  EXPECT_EQ(WorkQueues::Younger(second), first);
  EXPECT_EQ(WorkQueues::Younger(first), nullptr);
  EXPECT_EQ(first->queued, At(2));
  EXPECT_EQ(second->queued, At(1));
  EXPECT_EQ(queues.size(), 2U);
}

TEST_F(WorkQueuesAgeTest, TheYoungestIsTheOneSubmittedLast) {
  EXPECT_EQ(queues.Youngest(), nullptr);
  const auto table = Table(Line::kShared);
  Work* first = Add(table);
  Work* second = Add(Table(Line::kOwn));
  EXPECT_EQ(queues.Youngest(), second);
  ComesBack(first);  // came here last, and was submitted before
  Question(table);
  EXPECT_EQ(queues.Youngest(), second);
  queues.Remove(second);
  EXPECT_EQ(queues.Youngest(), first);
}

TEST_F(WorkQueuesAgeTest, WhatComesBackUntriedIsNotTheYoungest) {
  const auto table = Table(Line::kShared);
  Work* first = Add(table);
  Work* second = Add(table);
  queues.Remove(first);
  first->sent = At(1);  // a neighbour of its batch aborted it: the try was taken back
  queues.Add(first, now);
  EXPECT_EQ(queues.Youngest(), second);
}

TEST_F(WorkQueuesAgeTest, TellWhatCameSinceTheyWereLookedAt) {
  const auto table = Table(Line::kShared);
  EXPECT_EQ(queues.FirstNew(), nullptr);
  Work* first = Add(table);
  Work* second = Add(table);
  EXPECT_EQ(queues.FirstNew(), first);
  queues.Remove(first);
  EXPECT_EQ(queues.FirstNew(), second);
  queues.NoneIsNew();
  EXPECT_EQ(queues.FirstNew(), nullptr);
  Work* third = Add(table);
  EXPECT_EQ(queues.FirstNew(), third);
  ComesBack(second);  // what was there before is new again when it comes back
  EXPECT_EQ(WorkQueues::Younger(third), second);
  queues.Remove(third);
  EXPECT_EQ(queues.FirstNew(), second);
  queues.NoneIsNew();
  queues.AllAreNew();
  EXPECT_EQ(queues.FirstNew(), second);
}

}  // namespace
}  // namespace proxymux::pgsql
