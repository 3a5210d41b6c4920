// What the drills of short outages share: tables with one address, and something that happens to
// what is behind it, while 50 clients ask. Lookups wait for it (outage_wait); none may be lost.
//
// Of scripts/drill the first run has, for comparison, stock with PgBouncer between.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>

#include "tests/drills/mail_drill.h"
#include "tests/drills/session_probe.h"
#include "tests/harness/pg_bouncer.h"

namespace proxymux::drills {

inline constexpr int kWaiting = 50;
inline constexpr double kFirstAnswerMs = 100;  // from the first session that is taken

class OutageDrill : public MailDrill {
 protected:
  using Happening = std::function<void(Drill::Scene&)>;

  // What happens is over when it returns, or when what it brought back (BringBack) takes sessions;
  // lookups are to be answered again at most `back_ms` later. `mend` puts back what happened to
  // others than the servers, after each service. `cold`: it begins before anybody was answered, and
  // happens once.
  void Run(
      const std::string& name, int port, double back_ms, const Happening& happening,
      const std::function<void()>& mend = [] {}, bool cold = false) {
    port_ = port;
    first_answer_ms_.reset();
    DrillOptions options = Options(name, kWaiting, ForShortOutage());
    options.postfix.tables = harness::MailTables(HostAt(port));
    options.ports = {port};
    options.cold = cold;
    options.with_bouncer = [this, port](const auto& run) {
      harness::PgBouncer between(world_.NewDirectory(), port, harness::PgBouncer::ForStock());
      between.Start();
      run(harness::MailTables(between.TcpHost()));
    };
    Drill drill(
        options, [this] { return world_.NewDirectory(); },
        [&] {
          world_.Mend();
          mend();
        });
    double longest_ms = 0;
    const harness::LoadReport report = drill.Run([&](Drill::Scene& scene) {
      double away_ms = 0;
      for (int i = 0; i < (scene.stock() || cold ? 1 : Outages()); ++i) {
        if (i > 0) scene.AwaitNextOutage();
        scene.over.reset();
        begun_ = std::chrono::steady_clock::now();
        happening(scene);
        if (!scene.over.has_value()) scene.IsOver();
        away_ms = std::max(away_ms, Since(begun_) - Since(*scene.over));
        EXPECT_TRUE(scene.load.WaitForAnswers(10000, scene.patience()) || scene.stock())
            << scene.postfix.Log();
      }
      char figure[100];
      std::snprintf(figure, sizeof(figure), "the outage lasted %.0f ms at most", away_ms);
      SayFigure(name, scene.name, figure);
      longest_ms = away_ms;
      if (scene.stock() || !first_answer_ms_.has_value()) return;
      std::snprintf(figure, sizeof(figure), "an answer %.0f ms after the first session at most",
                    *first_answer_ms_);
      SayFigure(name, scene.name, figure);
    });
    log_ = drill.log();
    EXPECT_EQ(report.Failed(), 0U) << report.Text() << '\n' << log_;
    EXPECT_LT(report.max_ms, drill.Allowed(longest_ms + back_ms)) << report.Text() << '\n' << log_;
    EXPECT_LE(drill.most_connections(), 2 * kConnectionLimit) << log_;
    if (!cold) {
      EXPECT_TRUE(drill.AsBefore()) << drill.BeforeAndAfter() << '\n' << log_;
    }
    if (first_answer_ms_.has_value()) {
      EXPECT_LT(*first_answer_ms_, drill.Allowed(kFirstAnswerMs)) << log_;
    }
  }

  // What is behind the port takes no sessions, until `start` has brought it back: as soon as it
  // does, which is when the outage is over, lookups are to be answered.
  void BringBack(Drill::Scene& scene, const std::function<void()>& start) {
    if (scene.stock()) return start();
    SessionProbe probe(port_, scene.load, scene.patience());
    start();
    first_answer_ms_ = std::max(first_answer_ms_.value_or(0), probe.MillisecondsToAnswer());
    scene.IsOver(probe.first_session());
  }

  void ExpectWaited() { EXPECT_TRUE(SaysThatLookupsWaited(log_)) << log_; }

  // All before was preparation.
  void BeginsNow() { begun_ = std::chrono::steady_clock::now(); }

  static std::string HostAt(int port) { return "127.0.0.1:" + std::to_string(port); }

  std::string log_;

 private:
  int port_ = 0;
  std::chrono::steady_clock::time_point begun_;
  std::optional<double> first_answer_ms_;
};

}  // namespace proxymux::drills
