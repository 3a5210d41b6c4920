// What happens to one of two mirrors is not seen by the clients.
#include <gtest/gtest.h>

#include <cstdio>
#include <functional>
#include <string>

#include "tests/drills/mail_drill.h"
#include "tests/drills/pool_status.h"

namespace proxymux::drills {
namespace {

using harness::Eventually;
using harness::LoadReport;
using harness::PostgresCluster;
using harness::seconds;
using std::chrono::steady_clock;

constexpr double kLongestMs = 250;

class MirrorDrill : public MailDrill {
 protected:
  // Each mirror in turn is brought down by `kill`, and is back some time later.
  void ExpectNotSeen(const std::string& name, const std::function<void(PostgresCluster&)>& kill) {
    Drill drill = Make(name, kClients);
    const LoadReport report = drill.Run([&](Drill::Scene& scene) {
      for (auto* mirror : {&world_.first(), &world_.second()}) {
        kill(*mirror);
        EXPECT_TRUE(scene.load.WaitForAnswers(10000, scene.patience()) || scene.stock());
        world_.Mend();
        const bool used = Eventually([&] { return InUse(*mirror); }, scene.patience());
        EXPECT_TRUE(used || scene.stock()) << scene.postfix.Log();
      }
    });
    ExpectKept(drill, report, kLongestMs);
  }
};

TEST_F(MirrorDrill, OneStopsAtOnce) {
  ExpectNotSeen("a mirror stops at once", [](PostgresCluster& mirror) { mirror.StopImmediate(); });
}

TEST_F(MirrorDrill, OneLosesItsBackends) {
  ExpectNotSeen("kill -9 of a mirror's backends",
                [](PostgresCluster& mirror) { mirror.KillBackends(harness::kMailRole); });
}

TEST_F(MirrorDrill, OneIsKilled) {
  ExpectNotSeen("kill -9 of a whole mirror", [](PostgresCluster& mirror) { mirror.Kill(); });
}

TEST_F(MirrorDrill, BothAreRestartedInTurn) {
  Drill drill = Make("rolling restart of both mirrors", kClients);
  const LoadReport report = drill.Run([this](Drill::Scene& scene) {
    for (auto* mirror : {&world_.first(), &world_.second()}) {
      mirror->Stop();
      scene.load.WaitForAnswers(10000, scene.patience());
      mirror->Start();
      // The next one goes only when this one is used again.
      const bool used = Eventually([&] { return InUse(*mirror); }, scene.patience());
      EXPECT_TRUE(used || scene.stock()) << scene.postfix.Log();
    }
  });
  ExpectKept(drill, report, kLongestMs);
}

// It was away for long enough to be asked no more often than ever.
TEST_F(MirrorDrill, OneComesBack) {
  Drill drill = Make("a mirror comes back", kClients);
  const LoadReport report = drill.Run([this, &drill](Drill::Scene& scene) {
    for (auto* mirror : {&world_.first(), &world_.second()}) {
      mirror->StopImmediate();
      scene.LetRun(seconds(2));
      mirror->Start();
      const auto back = steady_clock::now();
      const bool used = Eventually([&] { return InUse(*mirror); }, scene.patience());
      const double after = Since(back);
      char figure[100];
      std::snprintf(figure, sizeof(figure), "used again %s %.0f ms", used ? "after" : "not within",
                    after);
      SayFigure(drill.name(), scene.service, figure);
      if (scene.stock()) continue;
      EXPECT_TRUE(used) << scene.postfix.Log();
      EXPECT_LT(after, Bound(1000 + scene.machine.away_ms())) << scene.postfix.Log();
      PoolState state;
      const auto even = [&] {
        state = ReadPoolState(scene.postfix);
        return state.All("up") && state.hosts.size() == 2 && state.hosts[0].connections == 2 &&
               state.hosts[1].connections == 2;
      };
      EXPECT_TRUE(Eventually(even)) << state.Text();
    }
  });
  ExpectKept(drill, report, kLongestMs);
}

}  // namespace
}  // namespace proxymux::drills
