// The only server is away for a moment, or all are: lookups wait for it (outage_wait), and none is
// lost.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>

#include "tests/drills/mail_drill.h"
#include "tests/harness/pg_bouncer.h"

namespace proxymux::drills {
namespace {

using harness::LoadReport;
using harness::PgBouncer;
using harness::seconds;

constexpr int kWaiting = 50;

// Long: what is asserted holds also where a server takes long to start.
constexpr char kPatient[] = "pool: {outage_wait: 1m}\ntable: {lookup_timeout: 2m}\n";

class OutageDrill : public MailDrill {
 protected:
  // One server, at `host`; what happens to it ends with its return.
  void Run(const std::string& name, const std::string& host, int port,
           const std::function<void(Drill::Scene&)>& happening) {
    DrillOptions options = Options(name, kWaiting, kPatient);
    options.postfix.tables = harness::MailTables(host);
    options.ports = {port};
    Drill drill(
        options, [this] { return world_.NewDirectory(); },
        [this] {
          world_.Mend();
          if (bouncer_ != nullptr) bouncer_->Start();
        });
    double longest_ms = 0;
    const LoadReport report = drill.Run([&](Drill::Scene& scene) {
      for (int i = 0; i < (scene.stock() ? 1 : 2); ++i) {
        const auto begin = std::chrono::steady_clock::now();
        happening(scene);
        const double away_ms = Since(begin);
        scene.load.WaitForAnswers(10000, scene.patience());
        longest_ms = std::max(longest_ms, away_ms);
      }
    });
    char figure[100];
    std::snprintf(figure, sizeof(figure), "the server was away for %.0f ms at most", longest_ms);
    SayFigure(name, harness::Service::kInPlace, figure);
    EXPECT_EQ(report.Failed(), 0U) << report.Text() << '\n' << drill.log();
    EXPECT_LT(report.max_ms, drill.Allowed(longest_ms + kAtOnceMs)) << report.Text();
    EXPECT_LE(drill.most_connections(), 2 * kConnectionLimit) << drill.log();
    EXPECT_NE(drill.log().find("lookups waited for it, 0 were answered RETRY"), std::string::npos)
        << drill.log();
  }
  void Run(const std::string& name, const std::function<void(Drill::Scene&)>& happening) {
    Run(name, world_.first().TcpHost(), world_.first().port(), happening);
  }

  std::unique_ptr<PgBouncer> bouncer_;
};

TEST_F(OutageDrill, AServerIsRestarted) {
  Run("the only server restarted (fast)", [this](Drill::Scene&) {
    world_.first().Stop();
    world_.first().Start();
  });
}

TEST_F(OutageDrill, AServerIsRestartedAtOnce) {
  Run("the only server restarted (immediate)", [this](Drill::Scene&) {
    world_.first().StopImmediate();
    world_.first().Start();
  });
}

TEST_F(OutageDrill, AServerIsKilled) {
  Run("kill -9 of the only server", [this](Drill::Scene&) {
    world_.first().Kill();
    world_.first().Start();
  });
}

TEST_F(OutageDrill, ABackendIsKilled) {
  Run("kill -9 of the only server's backends",
      [this](Drill::Scene&) { world_.first().KillBackends(harness::kMailRole); });
}

TEST_F(OutageDrill, AServerStartsUp) {
  Run("the only server refuses every session (57P03) for a while", [this](Drill::Scene& scene) {
    world_.first().Stop();
    world_.first().StartRefusing();
    scene.LetRun(seconds(1));
    world_.first().Stop();
    world_.first().Start();
  });
}

class BouncerOutageDrill : public OutageDrill {
 protected:
  ~BouncerOutageDrill() override { bouncer_.reset(); }

  void RunBehind(const std::string& name, const std::string& pool_mode,
                 const std::function<void(Drill::Scene&)>& happening) {
    PgBouncer::Options options;
    options.pool_mode = pool_mode;
    options.settings = {"server_login_retry = 1", "query_wait_timeout = 2"};
    bouncer_ = std::make_unique<PgBouncer>(world_.NewDirectory(), world_.first(), options);
    bouncer_->Start();
    Run(name + ", pool_mode " + pool_mode, bouncer_->TcpHost(), bouncer_->port(), happening);
  }
};

TEST_F(BouncerOutageDrill, TheServerBehindIsRestarted) {
  for (const char* mode : {"session", "transaction"}) {
    RunBehind("PgBouncer's server restarted", mode, [this](Drill::Scene&) {
      world_.first().Stop();
      world_.first().Start();
    });
  }
}

TEST_F(BouncerOutageDrill, TheBouncerIsRestarted) {
  RunBehind("PgBouncer in front of the only server restarted", "transaction",
            [this](Drill::Scene&) {
              bouncer_->Stop();
              bouncer_->Start();
            });
}

}  // namespace
}  // namespace proxymux::drills
