// A host that the administrator has taken out of use is as if it were not there.
#include <gtest/gtest.h>

#include "config/values/server_config.h"
#include "pgsql/host/host_set.h"
#include "tests/pgsql/host/host_set_fixture.h"

namespace proxymux::pgsql {
namespace {

using State = HostHealth::State;
using std::chrono::seconds;

constexpr Duration kWindow = seconds(5);

class DisabledHost : public Hosts {
 protected:
  static HostSet Two() { return Make({HostKind::kTcp, HostKind::kTcp}); }
  std::optional<std::size_t> Choose(HostSet& hosts, Time now = kNow) {
    return hosts.ChooseForConnection(now, &random);
  }
};

TEST_F(DisabledHost, IsNotConnectedToWhateverItsState) {
  for (const State state :
       {State::kUntried, State::kUp, State::kSuspect, State::kDown, State::kTrial}) {
    HostSet hosts = Make({HostKind::kTcp});
    if (state == State::kUp || state == State::kSuspect) Up(hosts, 0);
    if (state == State::kSuspect) hosts[0].health.OnSilent(kNow, "silent");
    if (state == State::kDown || state == State::kTrial) Down(hosts, 0);
    if (state == State::kTrial) Up(hosts, 0);
    ASSERT_EQ(hosts[0].health.state(), state);
    hosts[0].health.Disable(kNow);
    EXPECT_EQ(Choose(hosts, Later()), std::nullopt);
    EXPECT_EQ(hosts.ChooseForProbe(Later()), std::nullopt);
    EXPECT_FALSE(hosts.MayConnect(Later()));
    EXPECT_FALSE(hosts[0].health.MayConnect(Later()));
    EXPECT_FALSE(hosts.MayServe(0));
    EXPECT_FALSE(hosts.AnyMayServe());
    EXPECT_TRUE(hosts.AllDown());
    EXPECT_FALSE(hosts.AnyDown()) << "nothing is kept for the moment when it comes back";
    EXPECT_EQ(hosts[0].health.state(), state) << "which counts again when it is enabled";
    hosts[0].health.Enable();
    EXPECT_TRUE(Choose(hosts, Later()).has_value() || hosts.ChooseForProbe(Later()).has_value());
  }
}

TEST_F(DisabledHost, OthersTakeItsPlace) {
  HostSet hosts = Two();
  Up(hosts, 0);
  Up(hosts, 1);
  hosts[0].health.Disable(kNow);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Choose(hosts), 1U);
  EXPECT_TRUE(hosts.Alone(1));
  EXPECT_TRUE(hosts.GivesWay(0));
  EXPECT_FALSE(hosts.GivesWay(1));
}

TEST_F(DisabledHost, OfABetterClassDoesNotHoldBackTheNext) {
  HostSet hosts = Make({HostKind::kUnixSocket, HostKind::kTcp});
  Up(hosts, 0);
  Up(hosts, 1);
  hosts[1].ready = 1;
  ASSERT_EQ(hosts.ChooseForRetirement(), 1U);
  hosts[0].health.Disable(kNow);
  EXPECT_EQ(hosts.ChooseForRetirement(), std::nullopt);
  EXPECT_EQ(Choose(hosts), 1U);
}

TEST_F(DisabledHost, IsNobodysFavourite) {
  HostSet hosts = Two();
  hosts.SetPolicy(config::HostsPolicy::kSticky);
  Up(hosts, 0);
  Up(hosts, 1);
  const std::size_t favourite = *Choose(hosts);
  hosts[favourite].health.Disable(kNow);
  EXPECT_EQ(Choose(hosts), 1 - favourite);
  EXPECT_EQ(hosts.Reluctance(1 - favourite), 0);
}

// Its connections end as they run empty, without being moved one by one.
TEST_F(DisabledHost, IsNoReasonToMoveConnections) {
  HostSet hosts = Two();
  Up(hosts, 0);
  Up(hosts, 1);
  hosts[0].ready = 4;
  hosts[0].health.Disable(kNow);
  EXPECT_EQ(hosts.ChooseForRetirement(), std::nullopt);
  hosts[0].ready = 0;
  hosts[1].ready = 4;
  EXPECT_EQ(hosts.ChooseForRetirement(), std::nullopt);
  hosts[0].health.Enable();
  EXPECT_EQ(hosts.ChooseForRetirement(), 1U);
}

TEST_F(DisabledHost, IsNotWaitedFor) {
  HostSet hosts = Make({HostKind::kTcp});
  hosts.SetOutageWait(kWindow);
  Up(hosts, 0);
  hosts[0].ready = 1;  // it answers what it has
  hosts.LookForOutage(kNow);
  ASSERT_EQ(hosts.outage().state(), Outage::State::kNone);
  hosts[0].health.Disable(kNow);
  hosts.LookForOutage(kNow);
  EXPECT_EQ(hosts.outage().state(), Outage::State::kGivenUp);
  hosts[0].health.Enable();
  hosts.LookForOutage(kNow);
  EXPECT_EQ(hosts.outage().state(), Outage::State::kNone);
}

TEST_F(DisabledHost, CanBeDoneWithoutWhileAnotherMayServe) {
  HostSet hosts = Two();
  EXPECT_TRUE(hosts.CanDoWithout("a")) << "nobody knows anything against the other";
  Up(hosts, 1);
  EXPECT_TRUE(hosts.CanDoWithout("a"));
  hosts[1].barred = true;
  EXPECT_FALSE(hosts.CanDoWithout("a")) << "it is too far behind, or may be";
  hosts[1].barred = false;
  hosts[1].health.Disable(kNow);
  EXPECT_FALSE(hosts.CanDoWithout("a"));
  hosts[1].health.Enable();
  Down(hosts, 1);
  EXPECT_FALSE(hosts.CanDoWithout("a"));
  EXPECT_FALSE(Make({HostKind::kTcp}).CanDoWithout("a"));
  EXPECT_TRUE(hosts.CanDoWithout("b")) << "the first one is not known to be of no use";
}

TEST_F(DisabledHost, HasBeenSoSinceItWasFirst) {
  HostSet hosts = Two();
  EXPECT_EQ(hosts[0].health.disabled_since(), std::nullopt);
  hosts[0].health.Disable(kNow);
  hosts[0].health.Disable(Later());
  EXPECT_EQ(hosts[0].health.disabled_since(), kNow);
}

}  // namespace
}  // namespace proxymux::pgsql
