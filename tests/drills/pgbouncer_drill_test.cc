// A PgBouncer between the service and one of two mirrors, restarted or killed, or without the
// server behind it: the other mirror answers. A gate in front of it counts the connects.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/drills/mail_drill.h"
#include "tests/harness/pg_bouncer.h"
#include "tests/harness/tcp_gate.h"

namespace proxymux::drills {
namespace {

using harness::Eventually;
using harness::LoadReport;
using harness::milliseconds;
using harness::PgBouncer;
using harness::seconds;
using harness::TcpGate;

// PgBouncer itself tries the server once in server_login_retry, and a statement that it has taken
// by then may wait for query_wait_timeout.
constexpr double kBackBehindMs = kBackMs + 3000;

// What docs/operations.md recommends.
const std::vector<std::string> kRecommended = {"server_login_retry = 1", "query_wait_timeout = 2"};

class PgBouncerDrill : public MailDrill {
 protected:
  // Drills below have it restarted so often.
  static constexpr int kTimes = 2;

  ~PgBouncerDrill() override {
    gate_.reset();
    bouncer_.reset();
    other_.reset();
  }

  void StartBouncer(const std::string& pool_mode, const std::vector<std::string>& settings = {}) {
    gate_.reset();
    bouncer_ = Bouncer(world_.first(), pool_mode, settings);
    gate_ = std::make_unique<TcpGate>(bouncer_->port());
  }
  std::unique_ptr<PgBouncer> Bouncer(harness::PostgresCluster& server, const std::string& pool_mode,
                                     const std::vector<std::string>& settings) {
    PgBouncer::Options options;
    options.pool_mode = pool_mode;
    options.settings = settings;
    auto bouncer = std::make_unique<PgBouncer>(world_.NewDirectory(), server, options);
    bouncer->Start();
    return bouncer;
  }

  // Beside `second`, a host.
  void Run(const std::string& name, const std::string& second, double longest_ms,
           const std::function<void(Drill::Scene&)>& happening) {
    DrillOptions options = Options(name, kClients);
    options.postfix.tables = harness::MailTables(gate_->TcpHost() + " " + second);
    options.ports = {gate_->port(), std::atoi(second.c_str() + second.rfind(':') + 1)};
    Drill drill(
        options, [this] { return world_.NewDirectory(); },
        [this] {
          world_.Mend();
          bouncer_->Start();
        });
    const LoadReport report = drill.Run(happening);
    // A cancel request is a connection, too.
    ExpectKept(drill, report, longest_ms, 2 * kConnectionLimit);
  }

  // How long it takes until lookups are answered through PgBouncer again.
  void ExpectBack(const std::string& name, Drill::Scene& scene, double limit_ms) {
    const auto begin = std::chrono::steady_clock::now();
    const std::uint64_t rows = gate_->rows() + kClients;
    // Stock is back after retry_interval, a minute, which is measured elsewhere.
    const milliseconds limit = scene.stock() ? milliseconds(100) : scene.patience();
    EXPECT_TRUE(Eventually([&] { return gate_->rows() >= rows; }, limit) || scene.stock())
        << scene.postfix.Log();
    const double taken_ms = Since(begin);
    if (scene.stock()) return;
    SayFigure(name, scene.service, "in use again after " + std::to_string(int(taken_ms)) + " ms");
    EXPECT_LT(taken_ms, Bound(limit_ms + scene.machine.away_ms())) << scene.postfix.Log();
  }

  void GoesAway(const std::string& name, const std::string& second,
                const std::function<void()>& stop) {
    Run(name, second, kAtOnceMs, [&](Drill::Scene& scene) {
      for (int i = 0; i < kTimes; ++i) {
        stop();
        scene.LetRun(seconds(1));
        bouncer_->Start();
        ExpectBack(name, scene, kBackMs);
      }
    });
  }

  // The connects of an outage are few: a try costs PgBouncer and the server behind it a login.
  void ExpectFewConnects(const std::string& name, Drill::Scene& scene, std::uint64_t before,
                         std::uint64_t most) {
    const std::uint64_t connects = gate_->accepted() - before;
    SayFigure(name, scene.service, std::to_string(connects) + " connects to PgBouncer");
    if (scene.stock()) return;
    EXPECT_LE(connects, most) << scene.postfix.Log();
  }

  std::unique_ptr<PgBouncer> bouncer_, other_;
  std::unique_ptr<TcpGate> gate_;
};

TEST_F(PgBouncerDrill, IsRestarted) {
  for (const char* pool_mode : {"session", "transaction"}) {
    StartBouncer(pool_mode);
    GoesAway("PgBouncer (" + std::string(pool_mode) + ") restarted", world_.second().TcpHost(),
             [&] { bouncer_->Stop(); });
  }
}

TEST_F(PgBouncerDrill, IsKilled) {
  StartBouncer("transaction");
  GoesAway("PgBouncer killed", world_.second().TcpHost(), [&] { bouncer_->Kill(); });
}

TEST_F(PgBouncerDrill, IsKilledBesideAnother) {
  StartBouncer("session");
  other_ = Bouncer(world_.second(), "session", {});
  GoesAway("one of two PgBouncers killed", other_->TcpHost(), [&] { bouncer_->Kill(); });
}

// PgBouncer takes connections all the same, lets statements wait, and ends a connection with FATAL
// 08P01 when it knows that there is no server.
TEST_F(PgBouncerDrill, LosesTheServerBehindIt) {
  constexpr seconds kOutage(5);
  for (const char* pool_mode : {"session", "transaction"}) {
    const std::string name = "the server behind PgBouncer (" + std::string(pool_mode) + ") gone";
    StartBouncer(pool_mode, kRecommended);
    Run(name, world_.second().TcpHost(), kSilentMs, [&](Drill::Scene& scene) {
      const std::uint64_t before = gate_->accepted();
      world_.first().StopImmediate();
      scene.LetRun(kOutage);
      ExpectFewConnects(name, scene, before, 4 * kOutage.count());
      world_.first().Start();
      ExpectBack(name, scene, kBackBehindMs);
    });
  }
}

// As packaged it lets statements wait for two minutes.
TEST_F(PgBouncerDrill, LosesTheServerBehindItWithoutSettings) {
  const std::string name = "the server behind PgBouncer (defaults) gone";
  StartBouncer("transaction");
  Run(name, world_.second().TcpHost(), kSilentMs, [&](Drill::Scene& scene) {
    const std::uint64_t before = gate_->accepted();
    world_.first().StopImmediate();
    scene.LetRun(seconds(5));
    ExpectFewConnects(name, scene, before, 20);
    world_.first().Start();
    scene.load.WaitForAnswers(5000);
  });
}

TEST_F(PgBouncerDrill, HasTheServerBehindItRestarted) {
  const std::string name = "the server behind PgBouncer restarted";
  StartBouncer("transaction", kRecommended);
  Run(name, world_.second().TcpHost(), kSilentMs, [&](Drill::Scene& scene) {
    for (int i = 0; i < kTimes; ++i) {
      world_.first().Stop();
      world_.first().Start();
      ExpectBack(name, scene, kBackBehindMs);
    }
  });
}

}  // namespace
}  // namespace proxymux::drills
