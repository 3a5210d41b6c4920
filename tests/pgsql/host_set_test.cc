#include "pgsql/host_set.h"

#include <gtest/gtest.h>

#include <map>

namespace proxymux::pgsql {
namespace {

using std::chrono::seconds;

constexpr Time kNow{std::chrono::hours(1)};

class Hosts : public testing::Test {
 protected:
  static HostSet Make(const std::vector<HostKind>& kinds) {
    std::vector<PoolHost> hosts;
    for (HostKind kind : kinds) hosts.emplace_back(kind, "host", seconds(60));
    return HostSet(std::move(hosts));
  }
  void Up(HostSet& hosts, std::size_t index) { hosts[index].health.OnConnected(kNow); }
  void Down(HostSet& hosts, std::size_t index) {
    hosts[index].health.OnFailed(kNow, HostHealth::FailureKind::kUnreachable, "down", &random);
  }
  static constexpr Time Later() { return kNow + seconds(1); }  // every back-off is over

  std::minstd_rand random{5};
};

TEST_F(Hosts, UnixSocketsComeBeforeTcpBeforeUris) {
  HostSet hosts = Make({HostKind::kUri, HostKind::kTcp, HostKind::kUnixSocket});
  for (std::size_t i = 0; i < 3; ++i) Up(hosts, i);
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 2U);
  hosts[2].ready = 10;  // however many there are
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 2U);
  Down(hosts, 2);
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 1U);
  Down(hosts, 1);
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 0U);
  Down(hosts, 0);
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), std::nullopt);
}

TEST_F(Hosts, WithinAClassTheFewestConnectionsThenChance) {
  HostSet hosts = Make({HostKind::kTcp, HostKind::kTcp, HostKind::kTcp});
  for (std::size_t i = 0; i < 3; ++i) Up(hosts, i);
  hosts[0].ready = 1;
  hosts[1].connecting = 1;
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 2U);
  hosts[2].ready = 1;
  std::map<std::size_t, int> chosen;
  for (int i = 0; i < 300; ++i) ++chosen[*hosts.ChooseForConnection(kNow, &random)];
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_GT(chosen[i], 60);
    EXPECT_LT(chosen[i], 140);
  }
}

TEST_F(Hosts, OneThatIsNotKnownGetsOneConnectionAsATrial) {
  HostSet hosts = Make({HostKind::kUnixSocket, HostKind::kTcp});
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 0U);
  hosts[0].connecting = 1;
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 1U);
  hosts[1].connecting = 1;
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), std::nullopt);
  Up(hosts, 0);
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 0U);
}

TEST_F(Hosts, OneThatIsDownIsProbedWhenItIsDueWithOneConnection) {
  HostSet hosts = Make({HostKind::kTcp, HostKind::kTcp});
  EXPECT_EQ(hosts.ChooseForProbe(kNow), std::nullopt);
  EXPECT_FALSE(hosts.AnyDown());
  Up(hosts, 0);
  Down(hosts, 1);
  EXPECT_TRUE(hosts.AnyDown());
  EXPECT_EQ(hosts.ChooseForProbe(kNow), std::nullopt);
  EXPECT_EQ(hosts.ChooseForProbe(Later()), 1U);
  hosts[1].connecting = 1;
  EXPECT_EQ(hosts.ChooseForProbe(Later()), std::nullopt);
}

TEST_F(Hosts, OneThatWasDownIsNotPreferredToOneThatIsUpWhateverItsKind) {
  HostSet hosts = Make({HostKind::kUnixSocket, HostKind::kTcp});
  Down(hosts, 0);
  Up(hosts, 1);
  EXPECT_EQ(hosts.ChooseForConnection(Later(), &random), 1U);
  Down(hosts, 1);
  EXPECT_EQ(hosts.ChooseForConnection(Later(), &random), 0U);
}

TEST_F(Hosts, MayServeWithAConnectionOrTheProspectOfOne) {
  HostSet hosts = Make({HostKind::kTcp});
  EXPECT_TRUE(hosts.MayServe(0, kNow));
  Down(hosts, 0);
  EXPECT_FALSE(hosts.MayServe(0, kNow));
  EXPECT_FALSE(hosts.MayServe(0, Later()));  // nobody waits for its probe
  hosts[0].ready = 1;  // full, but what is open works
  EXPECT_TRUE(hosts.MayServe(0, kNow));
  hosts[0].ready = 0;
  hosts[0].connecting = 1;
  EXPECT_FALSE(hosts.MayServe(0, kNow));
  Up(hosts, 0);  // in a trial
  EXPECT_TRUE(hosts.MayServe(0, kNow));
}

}  // namespace
}  // namespace proxymux::pgsql
