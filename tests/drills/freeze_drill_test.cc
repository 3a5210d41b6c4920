// A mirror that is frozen, connections open and nothing answered, costs whoever waits for it about
// a second, and nobody more.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>

#include "tests/drills/mail_drill.h"

namespace proxymux::drills {
namespace {

using harness::LoadReport;
using harness::milliseconds;
using harness::PostgresCluster;
using harness::seconds;

constexpr double kLongestMs = 1500;
// Shorter ones say more of the machine.
constexpr milliseconds kWindow(500);
constexpr int kWindows = 12;  // 6 s

std::uint64_t AnswersIn(Drill::Scene& scene, milliseconds time) {
  const std::uint64_t before = scene.load.answered();
  scene.LetRun(time);
  return scene.load.answered() - before;
}

class FreezeDrill : public MailDrill {
 protected:
  // The one that has more connections, at random among equals.
  PostgresCluster& Favourite() {
    const int first = world_.first().ConnectionCount(harness::kMailRole);
    const int second = world_.second().ConnectionCount(harness::kMailRole);
    return first >= second ? world_.first() : world_.second();
  }

  struct Pace {
    std::uint64_t before = 0;   // answers in a window
    std::uint64_t slowest = 0;  // of those while the mirror was frozen
  };

  LoadReport Freeze(Drill* drill, Pace* pace) {
    return drill->Run([&](Drill::Scene& scene) {
      *pace = {AnswersIn(scene, 4 * kWindow) / 4, std::numeric_limits<std::uint64_t>::max()};
      PostgresCluster& mirror = Favourite();
      mirror.Freeze();
      for (int i = 0; i < kWindows; ++i) {
        pace->slowest = std::min(pace->slowest, AnswersIn(scene, kWindow));
      }
      mirror.Thaw();
      EXPECT_TRUE(scene.load.WaitForAnswers(5000, scene.patience()) || scene.stock())
          << scene.postfix.Log();
      char figure[150];
      std::snprintf(
          figure, sizeof(figure), "answers in %d ms: %llu before, at least %llu while frozen",
          static_cast<int>(kWindow.count()), static_cast<unsigned long long>(pace->before),
          static_cast<unsigned long long>(pace->slowest));
      SayFigure(drill->name(), scene.service, figure);
    });
  }
};

// The other mirror's clients go on as if nothing had happened.
TEST_F(FreezeDrill, OneOfTwo) {
  Drill drill = Make("a mirror frozen for 6 s", kClients);
  Pace pace;
  const LoadReport report = Freeze(&drill, &pace);
  ExpectKept(drill, report, kLongestMs);
  EXPECT_LT(static_cast<double>(pace.before), Bound(4.0 * static_cast<double>(pace.slowest)))
      << drill.log();
  EXPECT_LT(report.longest_silence_ms, drill.Allowed(500)) << drill.log();
}

TEST_F(FreezeDrill, TheOneThatAllConnectionsStickTo) {
  Drill drill = Make("the only mirror in use frozen for 6 s (sticky)", kClients,
                     "pool: {hosts_policy: sticky}\n");
  Pace pace;
  ExpectKept(drill, Freeze(&drill, &pace), kLongestMs);
}

TEST_F(FreezeDrill, TheOneOfTheOnlyConnection) {
  Drill drill = Make("the mirror of the only connection frozen for 6 s", kClients,
                     "pool: {connections: 1}\n");
  Pace pace;
  ExpectKept(drill, Freeze(&drill, &pace), kLongestMs, /*connections=*/1);
}

}  // namespace
}  // namespace proxymux::drills
