// While no mirror answers and nobody is to wait for one, the clients are told so at once, and
// served again as soon as one is back. outage_drill_test.cc has those that wait.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>

#include "tests/drills/mail_drill.h"
#include "tests/drills/pool_status.h"

namespace proxymux::drills {
namespace {

using harness::Eventually;
using harness::LoadReport;
using harness::milliseconds;
using harness::ProxymapClient;
using harness::seconds;
using protocol::Status;
using std::chrono::steady_clock;

constexpr char kNoWait[] = "pool: {outage_wait: 0s}\n";

struct Outage {
  harness::Answer first;
  double first_ms = 0;           // until the first answer when all are down
  double longest_ms = 0;         // of those that came when that was known
  int most_queued = 0;           // then: what came in the turn that answers it
  int oldest_wait_ms = 0;        // then, of what is in the queue
  double served_after_ms = 0;    // from the first mirror's return; negative: not in time
  std::uint64_t lost_after = 0;  // once lookups were answered again
};

class AllDownDrill : public MailDrill {
 protected:
  // `end` takes both mirrors out of service, `mend_one` brings one back.
  LoadReport Run(Drill* drill, const std::function<void()>& end,
                 const std::function<void()>& mend_one, Outage* outage) {
    return drill->Run([&](Drill::Scene& scene) {
      ProxymapClient client(scene.postfix.SocketPath());
      const std::string table = scene.postfix.Table("pgsql-id.cf");
      const milliseconds limit = scene.stock() ? seconds(5) : scene.patience();
      const auto ask = [&](double* took) {
        const auto begin = steady_clock::now();
        const harness::Answer answer = client.Lookup(table, "7", harness::kPostmapFlags, limit);
        *took = Since(begin);
        return answer;
      };
      end();
      outage->first = ask(&outage->first_ms);
      if (scene.stock()) {
        scene.LetRun(seconds(2));
      } else {
        EXPECT_TRUE(Eventually([&] { return ReadPoolState(scene.postfix).All("down"); }));
      }
      for (int i = 0; i < 20 && !scene.stock(); ++i) {
        double took = 0;
        const harness::Answer answer = ask(&took);
        EXPECT_TRUE(answer.Is(Status::kRetry)) << Describe(answer);
        outage->longest_ms = std::max(outage->longest_ms, took);
        const PoolState state = ReadPoolState(scene.postfix);
        outage->most_queued = std::max(outage->most_queued, state.queued);
        outage->oldest_wait_ms = std::max(outage->oldest_wait_ms, state.oldest_wait_ms);
        scene.LetRun(milliseconds(100));
      }
      mend_one();
      const auto back = steady_clock::now();
      // Longer for stock than usual: this is one of its figures.
      const bool served =
          scene.load.WaitForAnswers(1, scene.stock() ? seconds(35) : scene.patience());
      outage->served_after_ms = served ? Since(back) : -1;
      const std::uint64_t lost = scene.load.failed();
      if (!scene.stock()) {
        EXPECT_TRUE(scene.load.WaitForAnswers(10000)) << scene.postfix.Log();
        outage->lost_after = scene.load.failed() - lost;
        world_.Mend();
        EXPECT_TRUE(scene.load.WaitForAnswers(10000)) << scene.postfix.Log();
      }
      Say(*drill, scene, *outage);
    });
  }

  static void Say(const Drill& drill, const Drill::Scene& scene, const Outage& outage) {
    char figure[250];
    std::snprintf(
        figure, sizeof(figure), "first answer after %.0f ms (%s) | served again %s",
        outage.first_ms, Describe(outage.first).c_str(),
        outage.served_after_ms < 0
            ? "not in time"
            : ("after " + std::to_string(std::lround(outage.served_after_ms)) + " ms").c_str());
    SayFigure(drill.name(), scene.service, figure);
    if (scene.stock()) return;
    std::snprintf(
        figure, sizeof(figure),
        "while known: longest wait %.0f ms, at most %d in the queue, for %d ms | %llu lost "
        "after",
        outage.longest_ms, outage.most_queued, outage.oldest_wait_ms,
        static_cast<unsigned long long>(outage.lost_after));
    SayFigure(drill.name(), scene.service, figure);
  }

  static void ExpectHonest(const Drill& drill, const LoadReport& report, const Outage& outage,
                           double longest_ms) {
    EXPECT_TRUE(outage.first.Is(Status::kRetry)) << Describe(outage.first);
    EXPECT_LT(outage.first_ms, drill.Allowed(longest_ms));
    EXPECT_LT(report.max_ms, drill.Allowed(longest_ms)) << report.Text() << '\n' << drill.log();
    EXPECT_LT(outage.longest_ms, drill.Allowed(kAtOnceMs));
    EXPECT_LE(outage.most_queued, kClients + 1);
    EXPECT_LT(outage.oldest_wait_ms, drill.Allowed(kAtOnceMs));
    EXPECT_GE(outage.served_after_ms, 0) << drill.log();
    EXPECT_LT(outage.served_after_ms, drill.Allowed(1000)) << drill.log();
    EXPECT_EQ(outage.lost_after, 0U) << drill.log();
    // Everybody was answered, and with nothing worse than RETRY.
    EXPECT_EQ(report.Failed(), report.retry) << report.Text() << '\n' << drill.log();
    EXPECT_LE(drill.most_connections(), kConnectionLimit);
  }
};

TEST_F(AllDownDrill, BothRefuse) {
  Drill drill = Make("both mirrors stopped for 2 s, no outage_wait", kClients, kNoWait);
  Outage outage;
  const LoadReport report = Run(
      &drill,
      [this] {
        world_.first().StopImmediate();
        world_.second().StopImmediate();
      },
      [this] { world_.first().Start(); }, &outage);
  ExpectHonest(drill, report, outage, kAtOnceMs);
}

// The first ones wait until a test connection has failed.
TEST_F(AllDownDrill, BothFreeze) {
  // A machine that is busy is silent for a while, too.
  const std::string yaml =
      DrillMode() ? "pool: {stall_limit: 300ms, connect_timeout: 500ms, outage_wait: 0s}\n"
                  : "pool: {stall_limit: 2s, connect_timeout: 2s, outage_wait: 0s}\n";
  Drill drill = Make("both mirrors frozen for 3 s, no outage_wait", kClients, yaml);
  Outage outage;
  const LoadReport report = Run(
      &drill,
      [this] {
        world_.first().Freeze();
        world_.second().Freeze();
      },
      [this] { world_.first().Thaw(); }, &outage);
  ExpectHonest(drill, report, outage, 300 + 500 + kAtOnceMs);
}

}  // namespace
}  // namespace proxymux::drills
