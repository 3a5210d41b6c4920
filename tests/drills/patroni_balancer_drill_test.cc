// Three servers under Patroni behind HAProxy, the only address that the tables name: it asks
// Patroni who is the primary.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/drills/patroni_drill.h"
#include "tests/harness/ha_proxy.h"

namespace proxymux::drills {
namespace {

using harness::Eventually;
using harness::HaProxy;

class PatroniBehindHaProxy : public PatroniDrill {
 protected:
  PatroniBehindHaProxy() {
    HaProxy::Options options;
    options.check = {"option httpchk GET /primary"};
    for (std::size_t node = 0; node < PatroniCluster::kNodes; ++node) {
      HaProxy::Server server{"node" + std::to_string(node), cluster_->TcpHost(node)};
      server.check_port = cluster_->rest_port(node);
      options.servers.push_back(server);
    }
    balancer_ = std::make_unique<HaProxy>(*directory_ / ("haproxy" + std::to_string(++instances_)),
                                          options);
    balancer_->Start();
    AwaitPrimary();
  }

  // It is over when HAProxy has found out who the primary is.
  void RunBehind(const std::string& name, Wait wait, const std::function<void()>& happening) {
    Run({name + ", HAProxy", wait, balancer_->TcpHost(), "", balancer_->port()}, [&] {
      happening();
      AwaitPrimary();
    });
  }

  void AwaitPrimary() {
    const std::size_t primary = cluster_->Primary();
    EXPECT_TRUE(Eventually([&] {
      for (std::size_t node = 0; node < PatroniCluster::kNodes; ++node) {
        const bool up = balancer_->StateOf("node" + std::to_string(node)) == "UP";
        if (up != (node == primary)) return false;
      }
      return true;
    }));
  }

  std::unique_ptr<HaProxy> balancer_;
};

TEST_F(PatroniBehindHaProxy, Switchover) {
  RunBehind("switchover", Wait::kDefault, [] { cluster_->SwitchOver(); });
}

TEST_F(PatroniBehindHaProxy, TheServerOfThePrimaryIsKilled) {
  RunBehind("kill -9 of the primary's server", Wait::kAdvised, KillTheServerOfThePrimary);
}

TEST_F(PatroniBehindHaProxy, TheNodeOfThePrimaryIsLost) {
  if (!DrillMode()) GTEST_SKIP() << "takes as long as Patroni's lease: under scripts/drill";
  RunBehind("kill -9 of the primary and its Patroni", Wait::kAdvised, KillTheNodeOfThePrimary);
}

TEST_F(PatroniBehindHaProxy, ThePatroniOfThePrimaryIsKilled) {
  if (!DrillMode()) GTEST_SKIP() << "takes as long as Patroni's lease: under scripts/drill";
  RunBehind("kill -9 of the primary's Patroni alone", Wait::kAdvised, KillThePatroniOfThePrimary);
}

TEST_F(PatroniBehindHaProxy, ThePrimaryIsCutOff) {
  if (!DrillMode()) GTEST_SKIP() << "takes as long as Patroni's lease: under scripts/drill";
  RunBehind("primary cut off from all", Wait::kAdvised,
            [] { CutOffThePrimary(PatroniCluster::From::kAll); });
}

TEST_F(PatroniBehindHaProxy, ThePrimaryIsCutOffFromEtcdOnly) {
  if (!DrillMode()) GTEST_SKIP() << "takes as long as Patroni's lease: under scripts/drill";
  RunBehind("primary cut off from etcd", Wait::kAdvised,
            [] { CutOffThePrimary(PatroniCluster::From::kEtcd); });
}

}  // namespace
}  // namespace proxymux::drills
