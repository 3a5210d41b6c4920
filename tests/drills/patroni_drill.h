// What the drills with Patroni share: three servers under it, and something that happens to the
// primary while clients ask. Lookups wait for what Patroni needs to find a new one; none is lost,
// and none is answered by a server that is the primary no more.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/drills/answer_watch.h"
#include "tests/drills/drill.h"
#include "tests/drills/mail_drill.h"
#include "tests/drills/patroni_cluster.h"
#include "tests/harness/pg_bouncer.h"
#include "tests/harness/proxymap_client.h"
#include "tests/harness/temp_directory.h"

namespace proxymux::drills {

using harness::kMailDatabase;

class PatroniDrill : public testing::Test {
 protected:
  static constexpr int kUsers = 1000;
  static constexpr int kAsking = 50;
  static constexpr int kRows = 20;
  // A second after the switch the Patronis of the other nodes, Python programs, rewind and start
  // their servers, here on the processors that lookups are answered on.
  static constexpr double kNodesMs = 20;

  // How long lookups wait, under scripts/drill; elsewhere long, as busy as the machine may be.
  enum class Wait {
    kDefault,  // longer than a switchover takes
    kAdvised,  // what docs/high-availability.md has for a lease (ttl) of 20 to 30 s
  };

  struct Setting {
    std::string name;
    Wait wait = Wait::kAdvised;
    std::string hosts = Hosts();
    std::string session_attrs = "read-write";  // empty: hosts is one balancer
    int balancer_port = 0;                     // which PgBouncer may stand before
    // A primary that goes on beside the new one is left alone within that.
    double two_primaries_ms = 0;
  };

  static void SetUpTestSuite() {
    directory_ = std::make_unique<harness::TempDirectory>();
    cluster_ = std::make_unique<PatroniCluster>(*directory_ / "patroni");
    const std::size_t primary = cluster_->Primary();
    harness::CreateMailDatabase(
        [&](const std::string& database, const std::string& text) {
          cluster_->Sql(primary, database, text);
        },
        kUsers);
    AwaitRows("mailbox", kUsers);
  }
  static void TearDownTestSuite() {
    cluster_.reset();
    directory_.reset();
  }

  static void AwaitRows(const std::string& table, int rows) {
    for (std::size_t node = 0; node < PatroniCluster::kNodes; ++node) {
      EXPECT_TRUE(harness::Eventually([&] {
        try {
          return std::stoi(cluster_->Sql(node, kMailDatabase, "SELECT count(*) FROM " + table)) >=
                 rows;
        } catch (const std::runtime_error&) {
          return false;
        }
      }));
    }
  }

  static std::string Hosts() {
    std::string hosts;
    for (std::size_t node = 0; node < PatroniCluster::kNodes; ++node) {
      hosts += (node == 0 ? "" : " ") + cluster_->TcpHost(node);
    }
    return hosts;
  }

  // What happens is over when there is a primary again.
  static void Run(const Setting& setting, const std::function<void()>& happening) {
    DrillOptions options;
    options.name = "Patroni, " + setting.name;
    options.clients = kAsking;
    options.postfix.proxymux = harness::ProxymuxBinary();
    options.postfix.yaml = YamlOf(setting);
    options.postfix.tables = harness::MailTables(setting.hosts);
    options.postfix.tables.push_back(AnswerWatch::Table(setting.hosts));
    if (setting.balancer_port != 0) {
      options.with_bouncer = [&](const auto& run) {
        harness::PgBouncer between(*directory_ / ("bouncer" + std::to_string(++instances_)),
                                   setting.balancer_port, harness::PgBouncer::ForStock());
        between.Start();
        run(harness::MailTables(between.TcpHost()));
      };
    }
    Drill drill(
        options, [] { return *directory_ / std::to_string(++instances_); },
        [] {
          if (apart_.has_value()) cluster_->Rejoin(*apart_);
          apart_.reset();
          cluster_->AwaitComplete();
        });
    double primary_again_ms = 0;
    const harness::LoadReport report = drill.Run([&](Drill::Scene& scene) {
      std::optional<AnswerWatch> watch;
      if (!scene.stock()) watch.emplace(scene.postfix);
      const auto begun = std::chrono::steady_clock::now();
      happening();
      const std::size_t primary = cluster_->Primary();
      scene.IsOver();
      primary_again_ms = Since(begun);
      char figure[100];
      std::snprintf(figure, sizeof(figure), "a primary again after %.0f ms", primary_again_ms);
      SayFigure(options.name, scene.name, figure);
      EXPECT_TRUE(scene.load.WaitForAnswers(5000, scene.patience()) || scene.stock())
          << scene.postfix.Log();
      if (scene.stock()) return;
      // A standby may lack what was committed a moment ago.
      if (setting.session_attrs != "prefer-standby") {
        if (setting.two_primaries_ms > 0) AwaitAnswersOf(scene, primary, setting);
        ExpectAnswersOf(scene, primary);
      }
      scene.LookAfter();
      Judge(setting, scene, watch->Finish(), primary);
    });
    EXPECT_EQ(report.Failed(), 0U) << report.Text() << '\n' << drill.log() << cluster_->Logs();
    // The longest wait is Patroni's own.
    const bool waits = setting.session_attrs != "prefer-standby";
    EXPECT_LT(report.max_ms, drill.Allowed((waits ? primary_again_ms : 0) + kAtOnceMs))
        << report.Text() << '\n'
        << drill.log();
    EXPECT_TRUE(drill.AsBefore(kNodesMs)) << drill.BeforeAndAfter() << '\n' << drill.log();
  }

  static std::string YamlOf(const Setting& setting) {
    const std::string attrs =
        setting.session_attrs.empty() ? "" : "target_session_attrs: " + setting.session_attrs;
    if (setting.wait == Wait::kDefault || !DrillMode()) return ForShortOutage(attrs);
    return "pool: {outage_wait: 45s" + (attrs.empty() ? "" : ", " + attrs) +
           "}\ntable: {lookup_timeout: 60s}\n";
  }

  // A key that a server which was the primary before does not have.
  static std::string NewRow(std::size_t primary) {
    const std::string key = "new" + std::to_string(++rows_) + "@example1.com";
    cluster_->Sql(primary, kMailDatabase,
                  "INSERT INTO alias (address, goto) VALUES ('" + key + "', '" + key + "')");
    return key;
  }
  static void ExpectAnswersOf(const Drill::Scene& scene, std::size_t primary) {
    harness::ProxymapClient client(scene.postfix.SocketPath());
    for (int i = 0; i < kRows; ++i) {
      const std::string key = NewRow(primary);
      const harness::Answer answer = client.Lookup(scene.postfix.Table("pgsql-aliases.cf"), key);
      EXPECT_TRUE(answer.IsValue(key)) << harness::Describe(answer) << scene.postfix.Log();
    }
  }
  // Until the pool has found out which of two primaries is the new one, and asks no other.
  static void AwaitAnswersOf(const Drill::Scene& scene, std::size_t primary,
                             const Setting& setting) {
    harness::ProxymapClient client(scene.postfix.SocketPath());
    double noticed_ms = 0;
    EXPECT_TRUE(harness::Eventually([&] {
      noticed_ms = Since(*scene.over);
      for (int i = 0; i < kRows; ++i) {
        const std::string key = NewRow(primary);
        const std::string table = scene.postfix.Table("pgsql-aliases.cf");
        if (!client.Lookup(table, key).IsValue(key)) return false;
      }
      return true;
    })) << scene.postfix.Log();
    char figure[100];
    std::snprintf(figure, sizeof(figure), "only the new primary answers after %.0f ms", noticed_ms);
    SayFigure("Patroni, " + setting.name, scene.name, figure);
    EXPECT_LT(noticed_ms, Bound(setting.two_primaries_ms + scene.machine.away_ms()))
        << scene.postfix.Log();
  }

  // Of all that was asked when there was a new primary, nothing was answered by another server, but
  // for the time that it takes to find out that there are two.
  static void Judge(const Setting& setting, const Drill::Scene& scene,
                    const std::vector<AnswerWatch::Seen>& all, std::size_t primary) {
    double last_ms = -std::numeric_limits<double>::infinity();
    int unanswered = 0;
    for (const AnswerWatch::Seen& seen : all) {
      if (seen.port == 0) ++unanswered;
      if (seen.port == cluster_->server_port(primary)) continue;
      last_ms = Since(*scene.over) - Since(seen.asked);
    }
    EXPECT_EQ(unanswered, 0) << scene.postfix.Log();
    if (setting.session_attrs == "prefer-standby") return;
    char figure[100] = "no other server answered";
    if (std::isfinite(last_ms)) {
      std::snprintf(figure, sizeof(figure), "no other server answers what is asked %.0f ms %s",
                    std::abs(last_ms),
                    last_ms < 0 ? "before that, or later" : "after that, or later");
    }
    SayFigure("Patroni, " + setting.name, scene.name, figure);
    EXPECT_LE(last_ms, setting.two_primaries_ms == 0
                           ? 0
                           : Bound(setting.two_primaries_ms + scene.machine.away_ms()))
        << scene.postfix.Log();
  }

  static void KillTheServerOfThePrimary() { cluster_->KillServer(cluster_->Primary()); }
  static void KillThePatroniOfThePrimary() {
    apart_ = cluster_->Primary();
    cluster_->KillPatroni(*apart_);
  }
  static void KillTheNodeOfThePrimary() {
    KillThePatroniOfThePrimary();
    cluster_->KillServer(*apart_);
  }
  static void CutOffThePrimary(PatroniCluster::From from) {
    apart_ = cluster_->Primary();
    cluster_->CutOff(*apart_, from);
  }

  static inline std::unique_ptr<harness::TempDirectory> directory_;
  static inline std::unique_ptr<PatroniCluster> cluster_;
  static inline std::optional<std::size_t> apart_;  // until it is to join the others again
  static inline int instances_ = 0;
  static inline int rows_ = 0;
};

}  // namespace proxymux::drills
