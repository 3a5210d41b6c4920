// A streaming replication pair instead of two mirrors: a standby that cancels queries for what it
// replays, one that is promoted while it serves, an old primary that comes back as a standby; and
// target_session_attrs, which keeps to the right one of the two.
#include <gtest/gtest.h>

#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/drills/drill.h"
#include "tests/drills/mail_drill.h"
#include "tests/harness/host_status.h"
#include "tests/harness/socket.h"
#include "tests/harness/temp_directory.h"

namespace proxymux::drills {
namespace {

using harness::Eventually;
using harness::HostStatusOf;
using harness::kMailDatabase;
using harness::kMailRole;
using harness::LoadReport;
using harness::PostgresCluster;
using harness::seconds;
using harness::Service;
using std::chrono::steady_clock;

constexpr int kUsers = 1000;

// A new pair for each service of each drill: what happens to one cannot be undone.
class ReplicationDrill : public testing::Test {
 protected:
  ReplicationDrill() { MakePair(); }

  void MakePair() {
    standby_.reset();
    primary_.reset();
    PostgresCluster::Options options;
    options.port = primary_port_;
    options.settings = {"wal_keep_size = 256MB",
                        "max_standby_streaming_delay = 0",
                        "max_standby_archive_delay = 0",
                        "hot_standby_feedback = off",
                        "wal_receiver_status_interval = 100ms",
                        "wal_retrieve_retry_interval = 100ms"};
    const std::string pair = std::to_string(++pairs_);
    primary_ = std::make_unique<PostgresCluster>(directory_ / ("a" + pair), options);
    primary_->Start();
    harness::CreateMailDatabase(*primary_, kUsers);
    standby_ =
        std::make_unique<PostgresCluster>(directory_ / ("b" + pair), *primary_, standby_port_);
    standby_->Start();
    EXPECT_TRUE(Eventually([&] { return Streams(*primary_); }));
  }

  static bool Streams(PostgresCluster& primary) {
    return primary.Sql("postgres",
                       "SELECT count(*) FROM pg_stat_replication WHERE state ="
                       " 'streaming'") == "1";
  }

  LoadReport Run(const std::string& name, const std::string& yaml,
                 const Drill::Happening& happening) {
    return Run(name, yaml, primary_->TcpHost() + " " + standby_->TcpHost(), happening);
  }
  LoadReport Run(const std::string& name, const std::string& yaml, const std::string& hosts,
                 const Drill::Happening& happening) {
    DrillOptions options;
    options.name = name;
    options.clients = kClients;
    options.postfix.proxymux = harness::ProxymuxBinary();
    options.postfix.yaml = yaml;
    options.postfix.tables = harness::MailTables(hosts);
    int runs = Thorough() ? 2 : 1;
    drill_.emplace(
        options, [this] { return directory_ / std::to_string(++instances_); },
        [this, &runs] {
          if (--runs > 0) MakePair();
        });
    return drill_->Run(happening);
  }

  static int Sessions(PostgresCluster& server) { return server.ConnectionCount(kMailRole); }
  // One that is there for a moment finds out whether the server is of use by now.
  static bool HasNoSessions(PostgresCluster& server) {
    return Eventually([&] { return Sessions(server) == 0; });
  }

  void ExpectNoneLost(const LoadReport& report, double longest_ms) {
    EXPECT_EQ(report.Failed(), 0U) << report.Text() << '\n' << drill_->log();
    EXPECT_LT(report.max_ms, drill_->Allowed(longest_ms)) << report.Text() << '\n' << drill_->log();
  }

  harness::TempDirectory directory_;
  std::unique_ptr<PostgresCluster> primary_, standby_;
  std::optional<Drill> drill_;
  const int primary_port_ = harness::FreePort();
  const int standby_port_ = harness::FreePort();
  int pairs_ = 0;
  int instances_ = 0;
};

TEST_F(ReplicationDrill, TheStandbyCancelsWhatItsReplayCollidesWith) {
  std::string conflicts;
  const LoadReport report = Run("hot standby replay conflicts", "", [&](Drill::Scene& scene) {
    const auto mail = [&](const std::string& text) { primary_->Sql(kMailDatabase, text); };
    const auto count = [&] {
      return standby_->Sql("postgres",
                           "SELECT confl_lock + confl_snapshot + confl_bufferpin FROM"
                           " pg_stat_database_conflicts WHERE datname = 'mail'");
    };
    // Locks and dead rows of the tables that are asked, again and again, until some hit: on a busy
    // machine that may take longer.
    for (int round = 0; round < 300; ++round) {
      mail("BEGIN; LOCK alias; SELECT pg_sleep(0.02); COMMIT");
      mail("UPDATE alias SET goto = goto");
      mail("VACUUM alias");
      scene.load.WaitForAnswers(300, seconds(2));
      const int hits = std::atoi(count().c_str());
      if (hits >= 10 || (round >= 60 && hits > 0)) break;
    }
    EXPECT_TRUE(scene.stock() || std::atoi(count().c_str()) > 0);
    conflicts = count();
    SayFigure("hot standby replay conflicts", scene.service, conflicts + " conflicts");
    EXPECT_TRUE(scene.load.WaitForAnswers(5000) || scene.stock());
    if (scene.stock()) return;
    for (auto* server : {primary_.get(), standby_.get()}) {
      EXPECT_EQ(HostStatusOf(scene.postfix, server->TcpHost()).state, "up");
    }
  });
  ExpectNoneLost(report, 1500);
}

TEST_F(ReplicationDrill, TheStandbyIsPromotedWhileItServes) {
  const LoadReport report =
      Run("standby promoted, old primary gone and back as standby", "", [&](Drill::Scene& scene) {
        ASSERT_TRUE(scene.stock() || Sessions(*standby_) > 0);
        primary_->Stop();
        standby_->Promote();
        EXPECT_TRUE(scene.load.WaitForAnswers(10000) || scene.stock());
        primary_->Follow(*standby_);
        EXPECT_TRUE(Eventually([&] { return Sessions(*primary_) > 0; }) || scene.stock())
            << scene.postfix.Log();
        EXPECT_TRUE(scene.load.WaitForAnswers(10000) || scene.stock());
      });
  ExpectNoneLost(report, 1500);
}

TEST_F(ReplicationDrill, ThePromotedStandbyIsThePrimaryToUse) {
  const std::string name = "target_session_attrs: read-write, standby promoted";
  double after = 0;
  const LoadReport report =
      Run(name, ForShortOutage("target_session_attrs: read-write"), [&](Drill::Scene& scene) {
        if (!scene.stock()) {
          EXPECT_TRUE(HasNoSessions(*standby_));
          EXPECT_GT(Sessions(*primary_), 0);
          const auto standby = HostStatusOf(scene.postfix, standby_->TcpHost());
          EXPECT_EQ(standby.state, "down");
          EXPECT_NE(standby.reason.find("read-only"), std::string::npos) << standby.reason;
        }
        primary_->Stop();
        standby_->Promote();
        const auto promoted = steady_clock::now();
        scene.IsOver();
        const std::uint64_t answered = scene.load.answered();
        EXPECT_TRUE(Eventually([&] { return scene.load.answered() > answered + 1000; }));
        after = Since(promoted);
        char figure[100];
        std::snprintf(figure, sizeof(figure), "1000 answers %.0f ms after the promotion", after);
        SayFigure(name, scene.service, figure);
        // The old one comes back as a standby, and is left alone.
        const std::uint64_t failed = scene.load.failed();
        primary_->Follow(*standby_);
        EXPECT_TRUE(scene.load.WaitForAnswers(10000) || scene.stock()) << scene.postfix.Log();
        if (scene.stock()) return;
        EXPECT_EQ(scene.load.failed(), failed);
        EXPECT_TRUE(HasNoSessions(*primary_));
        EXPECT_GT(Sessions(*standby_), 0);
        EXPECT_EQ(HostStatusOf(scene.postfix, primary_->TcpHost()).state, "down");
      });
  EXPECT_LT(after, drill_->Allowed(1500)) << drill_->log();
  // While there was no primary at all they waited.
  EXPECT_EQ(report.Failed(), 0U) << report.Text() << '\n' << drill_->log();
  EXPECT_TRUE(drill_->AsBefore()) << drill_->BeforeAndAfter() << '\n' << drill_->log();
}

TEST_F(ReplicationDrill, OnlyAStandbyIsAskedAsLongAsItIsOne) {
  const std::string name = "target_session_attrs: standby, standby promoted";
  const LoadReport report =
      Run(name, ForShortOutage("target_session_attrs: standby"), [&](Drill::Scene& scene) {
        if (!scene.stock()) {
          EXPECT_TRUE(HasNoSessions(*primary_));
          EXPECT_GT(Sessions(*standby_), 0);
          EXPECT_EQ(HostStatusOf(scene.postfix, primary_->TcpHost()).state, "down");
        }
        primary_->Stop();
        standby_->Promote();
        primary_->Follow(*standby_);
        scene.IsOver();
        // They have changed places: so do the sessions.
        const auto changed = [&] { return Sessions(*primary_) > 0 && Sessions(*standby_) == 0; };
        EXPECT_TRUE(scene.stock() || Eventually(changed))
            << Sessions(*primary_) << " sessions on the standby, " << Sessions(*standby_)
            << " on the primary\n"
            << scene.postfix.Log();
        EXPECT_TRUE(scene.load.WaitForAnswers(10000) || scene.stock()) << scene.postfix.Log();
      });
  // While there was no standby they waited.
  EXPECT_EQ(report.Failed(), 0U) << report.Text() << '\n' << drill_->log();
  EXPECT_TRUE(drill_->AsBefore()) << drill_->BeforeAndAfter() << '\n' << drill_->log();
}

TEST_F(ReplicationDrill, ThePrimaryIsAskedOnlyWhenNoStandbyCanBe) {
  const LoadReport report = Run(
      "target_session_attrs: prefer-standby, standby stopped and back",
      "pool: {target_session_attrs: prefer-standby}\n", [&](Drill::Scene& scene) {
        const auto on_standby = [&] { return Sessions(*primary_) == 0 && Sessions(*standby_) > 0; };
        EXPECT_TRUE(scene.stock() || Eventually(on_standby)) << scene.postfix.Log();
        standby_->Stop();
        EXPECT_TRUE(scene.load.WaitForAnswers(10000) || scene.stock()) << scene.postfix.Log();
        EXPECT_TRUE(scene.stock() || Sessions(*primary_) > 0);
        standby_->Start();
        EXPECT_TRUE(scene.stock() || Eventually(on_standby)) << scene.postfix.Log();
      });
  ExpectNoneLost(report, kAtOnceMs);
}

// As one entry of `hosts`, the primary first.
TEST_F(ReplicationDrill, OfOneUriTheStandbyIsTriedFirst) {
  const std::string uri =
      "postgresql://" + std::string(kMailRole) +
      ":let%20me%20read@/mail?host=127.0.0.1%2C127.0.0.1&port=" + std::to_string(primary_->port()) +
      "%2C" + std::to_string(standby_->port()) + "&target_session_attrs=prefer-standby";
  const LoadReport report =
      Run("prefer-standby in a URI with both, standby stopped", "", uri, [&](Drill::Scene& scene) {
        if (!scene.stock()) {
          EXPECT_GT(Sessions(*standby_), 0);
          EXPECT_EQ(Sessions(*primary_), 0);
        }
        standby_->Stop();
        EXPECT_TRUE(scene.load.WaitForAnswers(10000) || scene.stock()) << scene.postfix.Log();
        EXPECT_TRUE(scene.stock() || Sessions(*primary_) > 0);
        standby_->Start();
      });
  // libpq signs each session on twice: with the primary, which is no standby, and, when the standby
  // has refused it, with the primary again.
  ExpectNoneLost(report, 2 * kAtOnceMs);
}

}  // namespace
}  // namespace proxymux::drills
