// Two standbys of one primary, and the replay of one stands still: it says "not found" for
// mailboxes that exist, until it is too far behind to be asked (max_replica_lag).
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/reply.h"
#include "tests/drills/drill.h"
#include "tests/drills/mail_drill.h"
#include "tests/harness/host_status.h"
#include "tests/harness/proxymap_client.h"
#include "tests/harness/temp_directory.h"

namespace proxymux::drills {
namespace {

using harness::Eventually;
using harness::HostStatus;
using harness::HostStatusOf;
using harness::kMailDatabase;
using harness::milliseconds;
using harness::PostgresCluster;
using harness::seconds;

constexpr int kUsers = 1000;
constexpr int kNewRows = 50;
// From then on a row is found: the limit of the drill, and a second.
constexpr milliseconds kCertain{3000};

class LagDrill : public testing::Test {
 protected:
  LagDrill() {
    PostgresCluster::Options options;
    options.settings = {"wal_keep_size = 256MB"};
    primary_ = std::make_unique<PostgresCluster>(directory_ / "primary", options);
    primary_->Start();
    harness::CreateMailDatabase(*primary_, kUsers);
    for (auto* standby : {&late_, &prompt_}) {
      *standby = std::make_unique<PostgresCluster>(
          directory_ / (standby == &late_ ? "late" : "prompt"), *primary_);
      (*standby)->Start();
    }
    EXPECT_TRUE(Eventually([&] {
      return primary_->Sql("postgres",
                           "SELECT count(*) FROM pg_stat_replication WHERE state ="
                           " 'streaming'") == "2";
    }));
  }

  void Run(const std::string& name, const std::string& yaml, const Drill::Happening& happening) {
    DrillOptions options;
    options.name = name;
    options.clients = kClients;
    options.postfix.proxymux = harness::ProxymuxBinary();
    options.postfix.yaml = yaml;
    options.postfix.tables = harness::MailTables(late_->TcpHost() + " " + prompt_->TcpHost());
    drill_.emplace(
        options, [this] { return directory_ / std::to_string(++instances_); },
        [this] { Replay(true); });
    const harness::LoadReport report = drill_->Run(happening);
    EXPECT_EQ(report.Failed(), 0U) << report.Text() << '\n' << drill_->log();
    EXPECT_LT(report.max_ms, drill_->Allowed(kAtOnceMs)) << report.Text() << '\n' << drill_->log();
  }

  void Replay(bool on) {
    late_->Sql("postgres", on ? "SELECT pg_wal_replay_resume()" : "SELECT pg_wal_replay_pause()");
  }
  static std::string KeyOf(std::size_t row) {
    return "new" + std::to_string(row) + "@example1.com";
  }
  // A new row. Returns when the other standby has it.
  void Insert() {
    const std::string key = KeyOf(written_.size());
    primary_->Sql(kMailDatabase, "INSERT INTO alias (address, goto) VALUES ('" + key +
                                     "', 'box1@store.example.net')");
    written_.push_back(std::chrono::steady_clock::now());
    EXPECT_TRUE(Eventually([&] { return Has(*prompt_, written_.size() - 1); }));
  }
  static bool Has(PostgresCluster& server, std::size_t row) {
    return server.Sql(kMailDatabase,
                      "SELECT count(*) FROM alias WHERE address = '" + KeyOf(row) + "'") == "1";
  }
  // Each row that the primary was given since `first`.
  void AskForAll(const Drill::Scene& scene, std::size_t first) {
    harness::ProxymapClient client(scene.postfix.SocketPath());
    const std::string table = scene.postfix.Table("pgsql-aliases.cf");
    for (std::size_t row = first; row < written_.size(); ++row) {
      Lookups& lookups = Since(written_[row]) >= kCertain.count() ? old_ : new_;
      const harness::Answer answer = client.Lookup(table, KeyOf(row));
      ++lookups.asked;
      if (answer.Is(protocol::Status::kNoKey)) {
        ++lookups.missing;
      } else {
        EXPECT_TRUE(answer.IsValue("box1@store.example.net")) << harness::Describe(answer);
      }
    }
  }
  HostStatus Late(const Drill::Scene& scene) const {
    return HostStatusOf(scene.postfix, late_->TcpHost());
  }

  harness::TempDirectory directory_;
  std::unique_ptr<PostgresCluster> primary_, late_, prompt_;
  std::optional<Drill> drill_;
  int instances_ = 0;
  std::vector<std::chrono::steady_clock::time_point> written_;  // of each row
  struct Lookups {
    int asked = 0, missing = 0;
  };
  Lookups old_, new_;  // of rows that were older than kCertain when they were asked for, and others
};

TEST_F(LagDrill, AStandbyWhoseReplayStandsStillIsNotAskedUntilItHasCaughtUp) {
  const std::string name = "replay of one of two standbys paused";
  Run(name, "pool: {max_replica_lag: 2s}\n", [&](Drill::Scene& scene) {
    Replay(false);
    const std::size_t first = written_.size();
    old_ = new_ = {};
    double noticed_ms = 0;
    for (int row = 0; row < kNewRows; ++row) {
      Insert();
      scene.LetRun(milliseconds(100));
      AskForAll(scene, first);
      if (!scene.stock() && noticed_ms == 0 && Late(scene).too_far_behind) {
        noticed_ms = Since(written_[first]);
      }
    }
    if (!scene.stock()) {
      EXPECT_TRUE(Eventually([&] { return Late(scene).too_far_behind; })) << scene.postfix.Log();
      if (noticed_ms == 0) noticed_ms = Since(written_[first]);
      EXPECT_FALSE(Late(scene).usable);
      EXPECT_EQ(Late(scene).role, "standby");
      EXPECT_LT(noticed_ms, Bound(kCertain.count())) << scene.postfix.Log();
    }
    char figure[200];
    std::snprintf(figure, sizeof(figure),
                  "of rows that were older than 3 s %d of %d not found, of newer ones %d of %d",
                  old_.missing, old_.asked, new_.missing, new_.asked);
    SayFigure(name, scene.name, figure);
    EXPECT_GT(old_.asked, 0);
    Replay(true);
    if (scene.stock()) return;
    EXPECT_EQ(old_.missing, 0) << scene.postfix.Log();
    std::snprintf(figure, sizeof(figure), "left alone %.0f ms after the first row", noticed_ms);
    SayFigure(name, scene.name, figure);
    EXPECT_TRUE(Eventually([&] { return Late(scene).usable; })) << scene.postfix.Log();
    EXPECT_TRUE(Eventually([&] { return Late(scene).connections > 1; })) << scene.postfix.Log();
    EXPECT_TRUE(scene.load.WaitForAnswers(5000));
    EXPECT_TRUE(Eventually([&] { return Has(*late_, written_.size() - 1); }));
    old_ = new_ = {};
    AskForAll(scene, first);
    EXPECT_EQ(old_.missing + new_.missing, 0) << "all have them";
    EXPECT_NE(scene.postfix.Log().find("(max_replica_lag): it is not used until it has caught up"),
              std::string::npos)
        << scene.postfix.Log();
    EXPECT_NE(scene.postfix.Log().find("has caught up after"), std::string::npos);
  });
}

// Nothing is written: the latest transaction gets old, and no standby lacks anything.
TEST_F(LagDrill, WithAnIdlePrimaryNobodyIsBehind) {
  Run("two standbys of an idle primary", "pool: {max_replica_lag: 1s}\n", [&](Drill::Scene& scene) {
    scene.LetRun(seconds(Thorough() ? 5 : 3));
    if (scene.stock()) return;
    for (const auto* standby : {late_.get(), prompt_.get()}) {
      const HostStatus status = HostStatusOf(scene.postfix, standby->TcpHost());
      EXPECT_TRUE(status.usable) << status.reason;
      EXPECT_EQ(status.role, "standby");
    }
    EXPECT_EQ(scene.postfix.Log().find("max_replica_lag"), std::string::npos)
        << scene.postfix.Log();
  });
}

}  // namespace
}  // namespace proxymux::drills
