#include "pgsql/work/twin_lookups.h"

#include <gtest/gtest.h>

#include "tests/pgsql/work/nobodys_sink.h"

namespace proxymux::pgsql {
namespace {

class TwinLookupsTest : public testing::Test {
 protected:
  TwinLookupsTest() {
    first.key = "key";
    first.sink = &sink;
    first.sequence = 7;
    first.submitted = Time(std::chrono::seconds(3));
    first.needs.may_write = second.needs.may_write = true;
    second.sequence = 8;
    first.attempts.Reset(3);
    first.attempts.Count(1);
    second.attempts.Reset(3);
  }
  ~TwinLookupsTest() override {
    WorkList::Remove(&first);
    WorkList::Remove(&second);
  }
  void Tie() { TwinLookups::Tie(&first, &second); }

  NobodysSink sink;
  WorkList in_flight{WorkList::Role::kInFlight};
  WorkList queue;
  TwinLookups twins;
  Work first;
  Work second;
};

TEST_F(TwinLookupsTest, TheSecondOneAsksTheSameElsewhere) {
  first.needs.as_text = true;
  Tie();
  EXPECT_EQ(second.key, "key");
  EXPECT_TRUE(second.needs.as_text);
  EXPECT_FALSE(second.needs.may_write);
  EXPECT_TRUE(second.twin.is_second);
  EXPECT_EQ(second.sequence, 7u);
  EXPECT_EQ(second.submitted, first.submitted);
  EXPECT_EQ(second.sink, nullptr);
  EXPECT_EQ(second.attempts.on(0), 0);
  EXPECT_EQ(second.attempts.on(1), Attempts::kPerHost);
  EXPECT_EQ(first.attempts.on(1), 1);
  EXPECT_FALSE(first.twin.is_second);
}

TEST_F(TwinLookupsTest, BothAreTriesOfTheFirst) {
  EXPECT_EQ(TwinLookups::Asked(&second), &second);
  Tie();
  EXPECT_EQ(TwinLookups::Asked(&second), &first);
  EXPECT_EQ(TwinLookups::Asked(&first), &first);
}

TEST_F(TwinLookupsTest, BothAreAwaitedAsLongAsTheFirstHasItsSink) {
  EXPECT_TRUE(TwinLookups::Awaited(first));
  EXPECT_FALSE(TwinLookups::Awaited(second));
  Tie();
  EXPECT_TRUE(TwinLookups::Awaited(second));
  first.sink = nullptr;
  EXPECT_FALSE(TwinLookups::Awaited(first));
  EXPECT_FALSE(TwinLookups::Awaited(second));
}

TEST_F(TwinLookupsTest, AnAttemptOfTheSecondCountsForBoth) {
  Tie();
  TwinLookups::CountAttempt(&second, 0);
  EXPECT_EQ(second.attempts.on(0), 1);
  EXPECT_EQ(first.attempts.on(0), 1);
  TwinLookups::TakeBackAttempt(&second, 0);
  EXPECT_EQ(second.attempts.on(0), 0);
  EXPECT_EQ(first.attempts.on(0), 0);
  TwinLookups::CountAttempt(&first, 0);
  EXPECT_EQ(first.attempts.on(0), 1);
  EXPECT_EQ(second.attempts.on(0), 0);
  TwinLookups::TakeBackAttempt(&first, 0);
  EXPECT_EQ(first.attempts.on(0), 0);
}

TEST_F(TwinLookupsTest, OnlyOneWithASecondTryIsParked) {
  EXPECT_FALSE(twins.Park(&first));
  EXPECT_TRUE(twins.NoneParked());
  Tie();
  EXPECT_TRUE(twins.Park(&first));
  EXPECT_FALSE(twins.NoneParked());
  EXPECT_FALSE(WorkList::InFlight(&first));
}

TEST_F(TwinLookupsTest, WhenTheFirstIsOverASecondThatWaitsIsUseless) {
  Tie();
  queue.PushBack(&second);
  in_flight.PushBack(&first);
  const TwinLookups::Parted parted = twins.Part(&first);
  EXPECT_EQ(parted.useless, &second);
  EXPECT_EQ(parted.on_its_own, nullptr);
  EXPECT_EQ(first.twin.second, nullptr);
  EXPECT_EQ(second.twin.first, nullptr);
  EXPECT_TRUE(second.twin.is_second);
}

TEST_F(TwinLookupsTest, OneThatIsUnderWayIsWaitedFor) {
  Tie();
  in_flight.PushBack(&second);
  const TwinLookups::Parted parted = twins.Part(&first);
  EXPECT_EQ(parted.useless, nullptr);
  EXPECT_EQ(parted.on_its_own, nullptr);
  EXPECT_EQ(second.twin.first, nullptr);
}

TEST_F(TwinLookupsTest, WhenTheSecondIsOverAFirstThatWasParkedIsOnItsOwn) {
  Tie();
  ASSERT_TRUE(twins.Park(&first));
  const TwinLookups::Parted parted = twins.Part(&second);
  EXPECT_EQ(parted.on_its_own, &first);
  EXPECT_EQ(parted.useless, nullptr);
  EXPECT_EQ(first.twin.second, nullptr);
  EXPECT_EQ(second.twin.first, nullptr);
}

TEST_F(TwinLookupsTest, AFirstThatIsUnderWayGoesOn) {
  Tie();
  in_flight.PushBack(&first);
  const TwinLookups::Parted parted = twins.Part(&second);
  EXPECT_EQ(parted.on_its_own, nullptr);
  EXPECT_EQ(parted.useless, nullptr);
  EXPECT_EQ(first.twin.second, nullptr);
}

TEST_F(TwinLookupsTest, OneAloneHasNobodyToPartFrom) {
  const TwinLookups::Parted parted = twins.Part(&first);
  EXPECT_EQ(parted.on_its_own, nullptr);
  EXPECT_EQ(parted.useless, nullptr);
}

}  // namespace
}  // namespace proxymux::pgsql
