#include "pgsql/policy/service_meter.h"

#include <gtest/gtest.h>

#include "tests/pgsql/policy/policy_world.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using Learned = ServiceMeter::Learned;

constexpr Duration kJustSuspicious = ServiceTime::kSuspicious;
constexpr Duration kNotSuspicious = ServiceTime::kSuspicious - milliseconds(1);

class ServiceMeterTest : public PolicyWorld {
 protected:
  // Tables of which nothing is known.
  static std::shared_ptr<TableBinding> New() {
    auto table = Quick();
    table->service_time = {};
    return table;
  }
  // Sent `ago`, in the given batch.
  Work* SendIn(std::uint64_t batch, const std::shared_ptr<TableBinding>& table, Duration ago) {
    Work* work = Send(connection, table, /*in_lane=*/false, ago);
    work->batch = batch;
    return work;
  }
  // The oldest one is answered.
  Learned Answer() {
    Work* work = connection.running();
    connection.OnBack(work);
    const Learned learned = ServiceMeter::Measure(&connection, *work, now);
    connection.last_result = now;
    return learned;
  }
  void Silent(Duration since) { connection.last_result = now - since; }

  PoolConnection& connection = Open();
  std::shared_ptr<TableBinding> table = New();
  std::shared_ptr<TableBinding> other = New();
};

TEST_F(ServiceMeterTest, AQuickAnswerIsRecorded) {
  Silent(std::chrono::seconds(9));
  SendIn(1, table, milliseconds(3));
  EXPECT_EQ(Answer(), Learned::kOfOne);
  EXPECT_EQ(table->service_time.average(), milliseconds(3));
}

// The server was busy with the one before.
TEST_F(ServiceMeterTest, TheTimeBeforeTheLatestResultWasAnothers) {
  SendIn(1, table, milliseconds(40));
  Silent(milliseconds(2));
  EXPECT_EQ(Answer(), Learned::kOfOne);
  EXPECT_EQ(table->service_time.average(), milliseconds(2));
}

TEST_F(ServiceMeterTest, QuestionsOfThePoolSayNothing) {
  Silent(milliseconds(2));
  Work* question = SendIn(1, table, milliseconds(2));
  question->kind = Work::Kind::kStamp;
  EXPECT_EQ(Answer(), Learned::kNothing);
  EXPECT_FALSE(table->service_time.known());
}

TEST_F(ServiceMeterTest, WhatABatchOfOneTableTookIsSharedOut) {
  Silent(milliseconds(400));
  for (int i = 0; i < 4; ++i) SendIn(5, table, milliseconds(400));
  SendIn(6, table, milliseconds(400));  // of the next batch
  EXPECT_EQ(Answer(), Learned::kOfOne);
  EXPECT_EQ(table->service_time.average(), milliseconds(100));
}

TEST_F(ServiceMeterTest, TheOtherResultsOfThatBatchSayNoMore) {
  Silent(milliseconds(400));
  SendIn(5, table, milliseconds(400));
  SendIn(5, table, milliseconds(400));
  SendIn(6, table, milliseconds(400));
  Answer();
  const Duration average = table->service_time.average();
  EXPECT_EQ(Answer(), Learned::kNothing);
  EXPECT_EQ(table->service_time.average(), average);
  EXPECT_EQ(Answer(), Learned::kOfOne);
}

TEST_F(ServiceMeterTest, OfSeveralTablesEachIsToBeMeasuredByItself) {
  auto third = New();
  for (const auto& one : {table, other, third}) one->service_time.Record(milliseconds(1));
  Silent(kJustSuspicious);
  SendIn(5, table, kJustSuspicious);
  SendIn(5, other, kJustSuspicious);
  SendIn(6, third, kJustSuspicious);
  EXPECT_EQ(Answer(), Learned::kOfBatch);
  EXPECT_TRUE(table->NeedsLane());
  EXPECT_TRUE(other->NeedsLane());
  EXPECT_FALSE(third->NeedsLane());
}

TEST_F(ServiceMeterTest, WhatIsNotSuspiciousIsTheFirstOnes) {
  for (const auto& one : {table, other}) one->service_time.Record(milliseconds(1));
  Silent(kNotSuspicious);
  SendIn(5, table, kNotSuspicious);
  SendIn(5, other, kNotSuspicious);
  EXPECT_EQ(Answer(), Learned::kOfOne);
  EXPECT_GT(table->service_time.average(), milliseconds(1));
  EXPECT_EQ(other->service_time.average(), milliseconds(1));
}

TEST_F(ServiceMeterTest, BehindASlowQuestionTheLookupsOfItsBatchAreSuspect) {
  table->service_time.Record(milliseconds(1));
  other->service_time.Record(milliseconds(1));
  Silent(kJustSuspicious);
  SendIn(5, table, kJustSuspicious)->kind = Work::Kind::kPrepare;
  SendIn(5, other, kJustSuspicious);
  EXPECT_EQ(Answer(), Learned::kOfBatch);
  EXPECT_FALSE(table->NeedsLane());
  EXPECT_TRUE(other->NeedsLane());
}

TEST_F(ServiceMeterTest, AQuestionBehindASlowLookupIsNotSuspect) {
  table->service_time.Record(milliseconds(1));
  other->service_time.Record(milliseconds(1));
  Silent(kJustSuspicious);
  SendIn(5, table, kJustSuspicious);
  SendIn(5, other, kJustSuspicious)->kind = Work::Kind::kDeallocate;
  EXPECT_EQ(Answer(), Learned::kOfBatch);
  EXPECT_TRUE(table->NeedsLane());
  EXPECT_FALSE(other->NeedsLane());
}

}  // namespace
}  // namespace proxymux::pgsql
