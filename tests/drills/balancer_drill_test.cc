// HAProxy is the only address that the tables name, with a server and a backup behind it: while it
// finds out that one is gone, it accepts and then closes, or says nothing. Lookups wait for that.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/drills/outage_drill.h"
#include "tests/drills/pool_status.h"
#include "tests/harness/ha_proxy.h"

namespace proxymux::drills {
namespace {

using harness::Eventually;
using harness::HaProxy;
using harness::milliseconds;
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
  RunBehind("HAProxy with a backup: kill -9 of its server", [&](Drill::Scene& scene) {
    if (again) {
      world_.first().Start();
      AwaitState("UP");
      world_.second().StopImmediate();  // which the sessions are on
      world_.second().Start();
      BeginsNow();
    }
    world_.first().Kill();
    BringBack(scene, [this] { AwaitState("DOWN"); });
    again = true;
  });
}

TEST_F(BalancerDrill, ItsServerIsRestarted) {
  RunBehind("HAProxy with a backup: its server restarted (fast)", [this](Drill::Scene& scene) {
    world_.first().Stop();
    BringBack(scene, [this] { world_.first().Start(); });
  });
}

TEST_F(BalancerDrill, ItsServerIsDrained) {
  RunBehind("HAProxy with a backup: its server drained, then in maintenance",
            [this](Drill::Scene& scene) {
              balancer_->Command("set server mail/first state ready");
              balancer_->Command("shutdown sessions server mail/second");  // all are on the first
              const auto awaits = [&](const auto& condition) {
                return Eventually(condition, scene.patience()) || scene.stock();
              };
              EXPECT_TRUE(awaits([&] { return InUse(world_.first()); }));
              EXPECT_TRUE(awaits([&] { return !InUse(world_.second()); }));
              BeginsNow();
              balancer_->Command("set server mail/first state drain");
              EXPECT_TRUE(scene.load.WaitForAnswers(5000, scene.patience()) || scene.stock());
              EXPECT_TRUE(InUse(world_.first()) || scene.stock()) << "who has a session keeps it";
              balancer_->Command("set server mail/first state maint");
              EXPECT_TRUE(scene.load.WaitForAnswers(5000, scene.patience()) || scene.stock());
              EXPECT_TRUE(awaits([&] { return InUse(world_.second()); }));
              EXPECT_TRUE(awaits([&] { return !InUse(world_.first()); }));
            });
}

TEST_F(BalancerDrill, NoServerIsLeft) {
  RunBehind("HAProxy without a server for a while: accepts and closes",
            [this](Drill::Scene& scene) {
              world_.first().StopImmediate();
              world_.second().StopImmediate();
              scene.LetRun(seconds(1));
              BringBack(scene, [this] {
                world_.second().Start();
                world_.first().Start();
                AwaitState("UP");
              });
            });
}

// Its check is a connect, which the kernel of a frozen server takes: it stays the one that all
// sessions go to, and nothing says that no answer comes. Lookups wait when that was found out.
TEST_F(BalancerDrill, ItsServerIsFrozen) {
  RunBehind("HAProxy with a backup: its server frozen, accepts and says nothing",
            [this](Drill::Scene& scene) {
              world_.first().Freeze();
              EXPECT_TRUE(scene.stock() || AwaitWaiting(scene.postfix)) << scene.postfix.Log();
              scene.LetRun(scene.stock() ? seconds(5) : milliseconds(500));
              world_.first().Thaw();
            });
  ExpectWaited();
}

TEST_F(BalancerDrill, IsRestarted) {
  RunBehind("HAProxy restarted", [this](Drill::Scene& scene) {
    balancer_->Stop();
    BringBack(scene, [this] { balancer_->Start(); });
  });
}

}  // namespace
}  // namespace proxymux::drills
