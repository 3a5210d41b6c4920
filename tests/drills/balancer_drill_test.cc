// HAProxy is the only address that the tables name, with a server and a backup behind it: while it
// finds out that one is gone, it accepts and then closes, or says nothing. Lookups wait for that.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/drills/outage_drill.h"
#include "tests/harness/ha_proxy.h"

namespace proxymux::drills {
namespace {

using harness::Eventually;
using harness::HaProxy;
using harness::seconds;

class BalancerDrill : public OutageDrill {
 protected:
  BalancerDrill() {
    HaProxy::Options options;
    options.servers = {{"first", world_.first().TcpHost()},
                       {"second", world_.second().TcpHost(), /*backup=*/true}};
    balancer_ = std::make_unique<HaProxy>(world_.NewDirectory(), options);
    balancer_->Start();
  }

  void RunBehind(const std::string& name, const Happening& happening) {
    Run(name, balancer_->port(), kAtOnceMs, happening, [this] {
      balancer_->Start();
      balancer_->Command("set server mail/first state ready");
      AwaitState("UP");
    });
  }

  void AwaitState(const std::string& state) {
    EXPECT_TRUE(Eventually([&] { return balancer_->StateOf("first") == state; }))
        << balancer_->StateOf("first");
  }

  std::unique_ptr<HaProxy> balancer_;
};

TEST_F(BalancerDrill, ItsServerIsKilled) {
  bool again = false;
  RunBehind("HAProxy with a backup: kill -9 of its server", [&](Drill::Scene&) {
    if (again) {
      world_.first().Start();
      AwaitState("UP");
      world_.second().StopImmediate();  // which the sessions are on
      world_.second().Start();
    }
    world_.first().Kill();
    AwaitState("DOWN");
    again = true;
  });
}

TEST_F(BalancerDrill, ItsServerIsRestarted) {
  RunBehind("HAProxy with a backup: its server restarted (fast)", [this](Drill::Scene&) {
    world_.first().Stop();
    world_.first().Start();
  });
}

TEST_F(BalancerDrill, ItsServerIsDrained) {
  RunBehind("HAProxy with a backup: its server drained, then in maintenance",
            [this](Drill::Scene& scene) {
              balancer_->Command("set server mail/first state drain");
              scene.load.WaitForAnswers(5000, scene.patience());
              balancer_->Command("set server mail/first state maint");
              scene.load.WaitForAnswers(5000, scene.patience());
              balancer_->Command("set server mail/first state ready");
            });
}

TEST_F(BalancerDrill, NoServerIsLeft) {
  RunBehind("HAProxy without a server for a while: accepts and closes",
            [this](Drill::Scene& scene) {
              world_.first().StopImmediate();
              world_.second().StopImmediate();
              scene.LetRun(seconds(1));
              world_.second().Start();
              world_.first().Start();
              AwaitState("UP");
            });
}

TEST_F(BalancerDrill, IsRestarted) {
  RunBehind("HAProxy restarted", [this](Drill::Scene&) {
    balancer_->Stop();
    balancer_->Start();
  });
}

}  // namespace
}  // namespace proxymux::drills
