// Leases of client sessions on stock connections.
#include "proxy/relay/stock_leases.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace proxymux::proxy {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const StockLeases::Time kBegin{std::chrono::hours(1)};

TEST(StockLeases, ALeaseBeginsWithoutASlot) {
  StockLeases leases;
  const auto lease = leases.Open();
  EXPECT_NE(lease, StockLeases::kNoLease);
  EXPECT_TRUE(leases.IsOpen(lease));
  EXPECT_EQ(leases.SlotOf(lease), std::nullopt);
  EXPECT_EQ(leases.bound(), 0u);
  EXPECT_NE(leases.Open(), lease);
}

TEST(StockLeases, BindingIsKnownFromBothSides) {
  StockLeases leases;
  const auto a = leases.Open();
  const auto b = leases.Open();
  leases.Bind(a, 3, kBegin);
  leases.Bind(b, 1, kBegin);
  EXPECT_EQ(leases.SlotOf(a), 3u);
  EXPECT_TRUE(leases.HasLease(3));
  EXPECT_FALSE(leases.HasLease(2));
  EXPECT_EQ(leases.bound(), 2u);
  EXPECT_THAT(leases.BoundSlots(), ElementsAre(1, 3));
}

TEST(StockLeases, ALeaseThatLosesItsSlotStaysOpenAndMayBeBoundAgain) {
  StockLeases leases;
  const auto lease = leases.Open();
  leases.Bind(lease, 0, kBegin);
  leases.Unbind(0);
  EXPECT_TRUE(leases.IsOpen(lease));
  EXPECT_EQ(leases.SlotOf(lease), std::nullopt);
  EXPECT_FALSE(leases.HasLease(0));
  leases.Unbind(0);  // nobody's: nothing
  leases.Bind(lease, 2, kBegin);
  EXPECT_EQ(leases.SlotOf(lease), 2u);
}

TEST(StockLeases, ClosingFreesTheSlotForAnother) {
  StockLeases leases;
  const auto a = leases.Open();
  leases.Bind(a, 0, kBegin);
  leases.Close(a);
  EXPECT_FALSE(leases.IsOpen(a));
  EXPECT_FALSE(leases.HasLease(0));
  EXPECT_EQ(leases.SlotOf(a), std::nullopt);
  leases.Close(a);
  leases.Close(StockLeases::kNoLease);
  const auto b = leases.Open();
  leases.Bind(b, 0, kBegin);
  EXPECT_EQ(leases.bound(), 1u);
}

TEST(StockLeases, UseIsCountedFromTheBindingOn) {
  StockLeases leases;
  const auto lease = leases.Open();
  EXPECT_EQ(leases.LastUsed(0), std::nullopt);
  leases.Bind(lease, 0, kBegin);
  EXPECT_EQ(leases.LastUsed(0), kBegin);
  leases.Touch(0, kBegin + seconds(3));
  EXPECT_EQ(leases.LastUsed(0), kBegin + seconds(3));
  leases.Touch(7, kBegin);  // nobody's
  EXPECT_EQ(leases.LastUsed(7), std::nullopt);
  leases.Close(lease);
  EXPECT_THAT(leases.BoundSlots(), IsEmpty());
  EXPECT_EQ(leases.LastUsed(0), std::nullopt);
}

}  // namespace
}  // namespace proxymux::proxy
