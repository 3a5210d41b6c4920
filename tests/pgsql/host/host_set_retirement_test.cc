// Which host gives a connection away, to another one that should rather have it.
#include <gtest/gtest.h>

#include <cstddef>
#include <optional>

#include "config/values/server_config.h"
#include "pgsql/host/host_set.h"
#include "pgsql/table/host_spec.h"
#include "tests/pgsql/host/host_set_fixture.h"

namespace proxymux::pgsql {
namespace {

class HostRetirement : public Hosts {};

TEST_F(HostRetirement, ConnectionsMoveUntilTheyAreEven) {
  HostSet hosts = Make({HostKind::kTcp, HostKind::kTcp});
  Up(hosts, 0);
  Up(hosts, 1);
  hosts[0].ready = 3;
  hosts[1].ready = 1;
  EXPECT_EQ(hosts.ChooseForRetirement(), 0U);
  hosts[0].ready = 2;
  EXPECT_EQ(hosts.ChooseForRetirement(), std::nullopt);
  hosts[1].ready = 0;
  hosts[1].connecting = 5;
  EXPECT_EQ(hosts.ChooseForRetirement(), std::nullopt);  // what is not there yet cannot end
}

// Whoever opens one to a host that gives way would see it closed again in the same turn.
TEST_F(HostRetirement, OneGivesWayToABetterClassAndToTheFavouriteThatIsConnectedTo) {
  HostSet hosts = Make({HostKind::kUnixSocket, HostKind::kTcp, HostKind::kTcp});
  EXPECT_FALSE(hosts.GivesWay(1)) << "nobody has been tried";
  for (std::size_t i = 0; i < 3; ++i) Up(hosts, i);
  hosts[0].barred = true;  // to be asked first how far it is behind
  EXPECT_FALSE(hosts.GivesWay(0));
  EXPECT_TRUE(hosts.GivesWay(1));
  Down(hosts, 0);
  EXPECT_FALSE(hosts.GivesWay(1));
  hosts.SetPolicy(config::HostsPolicy::kSticky);
  hosts.PreferUnlessKept(2);
  EXPECT_FALSE(hosts.GivesWay(1));
  hosts[2].ready = 1;
  EXPECT_TRUE(hosts.GivesWay(1));
  EXPECT_FALSE(hosts.GivesWay(2));
}

TEST_F(HostRetirement, ConnectionsMoveToABetterClassOnlyWhenItIsUp) {
  HostSet hosts = Make({HostKind::kUnixSocket, HostKind::kTcp});
  Down(hosts, 0);
  Up(hosts, 1);
  hosts[1].ready = 1;
  EXPECT_EQ(hosts.ChooseForRetirement(), std::nullopt);
  Up(hosts, 0);
  hosts[0].ready = 1;
  EXPECT_EQ(hosts.ChooseForRetirement(), std::nullopt);  // in trial
  hosts[0].health.OnAnswered(kNow, kNow);
  EXPECT_EQ(hosts.ChooseForRetirement(), 1U);
}

TEST_F(HostRetirement, WhateverTheirOrder) {
  HostSet hosts = Make({HostKind::kTcp, HostKind::kTcp});
  Up(hosts, 0);
  Up(hosts, 1);
  hosts[0].ready = 1;
  hosts[1].ready = 3;
  EXPECT_EQ(hosts.ChooseForRetirement(), 1U);
  hosts[0].ready = 3;
  hosts[1].ready = 1;
  EXPECT_EQ(hosts.ChooseForRetirement(), 0U);
}

TEST_F(HostRetirement, TheFirstOfEqualsGivesOneAway) {
  HostSet hosts = Make({HostKind::kTcp, HostKind::kTcp, HostKind::kTcp});
  for (std::size_t i = 0; i < 3; ++i) Up(hosts, i);
  hosts[1].ready = hosts[2].ready = 2;
  EXPECT_EQ(hosts.ChooseForRetirement(), 1U);
}

TEST_F(HostRetirement, ThoseOfAWorseClassAreNotFilled) {
  HostSet hosts = Make({HostKind::kUnixSocket, HostKind::kTcp});
  Up(hosts, 0);
  Up(hosts, 1);
  hosts[0].ready = 2;
  EXPECT_EQ(hosts.ChooseForRetirement(), std::nullopt);
}

TEST_F(HostRetirement, NorThoseThatAreDown) {
  HostSet hosts = Make({HostKind::kTcp, HostKind::kTcp});
  Up(hosts, 0);
  Down(hosts, 1);
  hosts[0].ready = 2;
  EXPECT_EQ(hosts.ChooseForRetirement(), std::nullopt);
}

TEST_F(HostRetirement, WhatIsBeingTriedKeepsItsConnection) {
  HostSet hosts = Make({HostKind::kTcp, HostKind::kUri});
  Up(hosts, 0);
  Up(hosts, 1);
  hosts[0].ready = hosts[1].ready = 1;
  EXPECT_EQ(hosts.ChooseForRetirement(), 1U);
  hosts[1].health.OnSilent(kNow, "silent");
  EXPECT_EQ(hosts.ChooseForRetirement(), std::nullopt);
  Down(hosts, 1);
  Up(hosts, 1);
  EXPECT_EQ(hosts.ChooseForRetirement(), std::nullopt);  // in trial
  hosts[1].health.OnAnswered(kNow, kNow);
  EXPECT_EQ(hosts.ChooseForRetirement(), 1U);
}

TEST_F(HostRetirement, NothingMovesToAFavouriteThatHasNoConnectionYet) {
  HostSet hosts = Make({HostKind::kTcp, HostKind::kTcp});
  hosts.SetPolicy(config::HostsPolicy::kSticky);
  Up(hosts, 0);
  Up(hosts, 1);
  hosts.PreferUnlessKept(0);
  hosts[0].connecting = 1;
  hosts[1].ready = 1;
  EXPECT_EQ(hosts.ChooseForRetirement(), std::nullopt);
  hosts[0].connecting = 0;
  hosts[0].ready = 1;
  EXPECT_EQ(hosts.ChooseForRetirement(), 1U);
}

}  // namespace
}  // namespace proxymux::pgsql
