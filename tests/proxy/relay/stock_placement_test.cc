#include "proxy/relay/stock_placement.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace proxymux::proxy {
namespace {

using Kind = StockPlacement::Kind;

constexpr std::chrono::seconds kSecond{1};

class StockPlacementTest : public ::testing::Test {
 protected:
  static StockPolicy Policy() {
    StockPolicy policy;
    policy.mode = StockMode::kSpawn;
    policy.processes = 4;
    return policy;
  }
  void MakeReady(std::size_t slot) {
    slots_.Open(slot, now_);
    slots_.OnGreeting(slot, now_);
  }
  void MakeBusy(std::size_t slot, const std::string& table) {
    MakeReady(slot);
    const auto id = requests_.Add({table, SequenceStep::kNone, StockLeases::kNoLease, now_});
    requests_.Start(id);
    slots_.Give(slot, id, now_);
  }
  StockPlacement::Choice Choose(const std::string& table, SequenceStep step = SequenceStep::kNone,
                                StockLeases::LeaseId lease = StockLeases::kNoLease) const {
    return placement_.Choose({table, step, lease, now_}, now_);
  }

  StockLeases::Time now_{std::chrono::hours(1)};
  const StockPolicy policy_ = Policy();
  std::vector<StockAction> actions_;
  StockLeases leases_;
  StockRequests requests_;
  StockSlots slots_{&policy_, &leases_, &actions_};
  const StockPlacement placement_{&policy_, &slots_, &leases_, &requests_};
};

TEST_F(StockPlacementTest, TheSlotUsedLastIsTakenSoThatOthersMayBecomeIdle) {
  EXPECT_EQ(Choose("a").kind, Kind::kOpenOne);
  MakeReady(0);
  now_ += std::chrono::milliseconds(1);
  MakeReady(2);
  EXPECT_EQ(Choose("a").kind, Kind::kSlot);
  EXPECT_EQ(Choose("a").slot, 2u);
}

TEST_F(StockPlacementTest, AConnectionThatIsTooOldIsMadeAnewFirst) {
  MakeReady(1);
  now_ += kSecond;
  EXPECT_EQ(Choose("a").kind, Kind::kOpenOne);
  EXPECT_EQ(placement_.FindOpenable(now_), 1u);
}

TEST_F(StockPlacementTest, ATableThatIsWorkedOnLeavesTheLastSlotsToOthers) {
  MakeBusy(0, "slow");
  MakeReady(3);
  EXPECT_EQ(Choose("slow").kind, Kind::kSlot);
  MakeBusy(1, "slow");
  EXPECT_EQ(Choose("slow").kind, Kind::kWait);
  EXPECT_EQ(Choose("other").kind, Kind::kSlot);
}

TEST_F(StockPlacementTest, ASequenceStaysOnTheSlotOfItsLease) {
  const auto lease = leases_.Open();
  MakeReady(0);
  EXPECT_EQ(Choose("a", SequenceStep::kNext, lease).kind, Kind::kLost);
  leases_.Bind(lease, 0, now_);
  EXPECT_EQ(Choose("a", SequenceStep::kNext, lease).slot, 0u);
  EXPECT_EQ(Choose("a").kind, Kind::kOpenOne) << "others can still be opened";
  leases_.Bind(leases_.Open(), 1, now_);
  EXPECT_EQ(Choose("a", SequenceStep::kFirst, leases_.Open()).kind, Kind::kWait)
      << "half of the slots are leased";
}

TEST_F(StockPlacementTest, ALeasedSlotServesLookupsWhenNoOtherCanBeHad) {
  for (const std::size_t slot : {0, 1, 2}) MakeBusy(slot, "t" + std::to_string(slot));
  MakeReady(3);
  leases_.Bind(leases_.Open(), 3, now_);
  EXPECT_EQ(Choose("other").kind, Kind::kSlot);
  EXPECT_EQ(Choose("other").slot, 3u);
  EXPECT_EQ(Choose("other", SequenceStep::kFirst, leases_.Open()).kind, Kind::kOpenOne);
}

}  // namespace
}  // namespace proxymux::proxy
