// Three servers under Patroni, all in `hosts`, with target_session_attrs: the service finds out
// itself who the primary is.
#include "tests/drills/patroni_drill.h"

#include <gtest/gtest.h>

#include <string>

namespace proxymux::drills {
namespace {

using harness::Eventually;

class PatroniAmongHosts : public PatroniDrill {
 protected:
  // Its Patroni starts it again.
  static void KillAStandby() {
    const std::size_t standby = (cluster_->Primary() + 1) % PatroniCluster::kNodes;
    const std::string before = StartOf(standby);
    cluster_->KillServer(standby);
    EXPECT_TRUE(Eventually([&] {
      const std::string now = StartOf(standby);
      return !now.empty() && now != before;
    }));
    cluster_->AwaitComplete();
  }

 private:
  // When the server was started; empty while it is away.
  static std::string StartOf(std::size_t node) {
    try {
      return cluster_->Sql(node, "postgres", "SELECT pg_postmaster_start_time()");
    } catch (const std::runtime_error&) {
      return "";
    }
  }
};

TEST_F(PatroniAmongHosts, Switchover) {
  Run({"switchover, hosts and read-write", Wait::kDefault}, [] { cluster_->SwitchOver(); });
}

TEST_F(PatroniAmongHosts, TheServerOfThePrimaryIsKilled) {
  Run({"kill -9 of the primary's server, hosts and read-write"}, KillTheServerOfThePrimary);
}

TEST_F(PatroniAmongHosts, TheNodeOfThePrimaryIsLost) {
  if (!DrillMode()) GTEST_SKIP() << "takes as long as Patroni's lease: under scripts/drill";
  Run({"kill -9 of the primary and its Patroni, hosts and read-write"}, KillTheNodeOfThePrimary);
}

// Nobody ends the old primary: it goes on taking what comes, beside the new one.
TEST_F(PatroniAmongHosts, ThePatroniOfThePrimaryIsKilled) {
  if (!DrillMode()) GTEST_SKIP() << "takes as long as Patroni's lease: under scripts/drill";
  Setting setting{"kill -9 of the primary's Patroni alone, hosts and read-write"};
  setting.two_primaries_ms = 2000;  // each host is asked once a second what it is
  Run(setting, KillThePatroniOfThePrimary);
}

TEST_F(PatroniAmongHosts, ThePrimaryIsCutOffFromEtcdOnly) {
  if (!DrillMode()) GTEST_SKIP() << "takes as long as Patroni's lease: under scripts/drill";
  Run({"primary cut off from etcd, hosts and read-write"},
      [] { CutOffThePrimary(PatroniCluster::From::kEtcd); });
}

TEST_F(PatroniAmongHosts, ThePrimaryIsCutOff) {
  if (!DrillMode()) GTEST_SKIP() << "takes as long as Patroni's lease: under scripts/drill";
  Run({"primary cut off from all, hosts and read-write"},
      [] { CutOffThePrimary(PatroniCluster::From::kAll); });
}

TEST_F(PatroniAmongHosts, ThePrimaryIsCutOffWhereStandbysArePreferred) {
  if (!DrillMode()) GTEST_SKIP() << "takes as long as Patroni's lease: under scripts/drill";
  Run({"primary cut off from all, hosts and prefer-standby", Wait::kDefault, Hosts(),
       "prefer-standby"},
      [] { CutOffThePrimary(PatroniCluster::From::kAll); });
}

// Lookups go on at the standbys while there is no primary.
TEST_F(PatroniAmongHosts, SwitchoverWhereStandbysArePreferred) {
  Run({"switchover, hosts and prefer-standby", Wait::kDefault, Hosts(), "prefer-standby"}, [] {
    cluster_->SwitchOver();
    cluster_->AwaitComplete();
  });
}

TEST_F(PatroniAmongHosts, TheServerOfThePrimaryIsKilledWhereStandbysArePreferred) {
  Run({"kill -9 of the primary's server, hosts and prefer-standby", Wait::kDefault, Hosts(),
       "prefer-standby"},
      KillTheServerOfThePrimary);
}

TEST_F(PatroniAmongHosts, AStandbyIsKilledWhereStandbysArePreferred) {
  Run({"kill -9 of a standby, hosts and prefer-standby", Wait::kDefault, Hosts(), "prefer-standby"},
      KillAStandby);
}

}  // namespace
}  // namespace proxymux::drills
