// Two standbys of one primary, and the replay of one stands still: it says "not found" for
// mailboxes that exist, until it is too far behind to be asked (max_replica_lag).
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>

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
using harness::PostgresCluster;
using harness::seconds;

constexpr int kUsers = 1000;
constexpr int kNewRows = 50;

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
  static std::string KeyOf(int row) { return "new" + std::to_string(row) + "@example1.com"; }
  // Returns when the other standby has them.
  void Insert(int first, int count) {
    primary_->Sql(kMailDatabase,
                  "INSERT INTO alias (address, goto) SELECT 'new' || row ||"
                  " '@example1.com', 'box1@store.example.net' FROM generate_series(" +
                      std::to_string(first) + ", " + std::to_string(first + count - 1) +
                      ") AS row");
    EXPECT_TRUE(Eventually([&] {
      return prompt_->Sql(kMailDatabase, "SELECT count(*) FROM alias WHERE address = '" +
                                             KeyOf(first + count - 1) + "'") == "1";
    }));
  }
  // Of the lookups of rows that the primary has.
  static int NotFound(const Drill::Scene& scene, int first, int count) {
    harness::ProxymapClient client(scene.postfix.SocketPath());
    const std::string table = scene.postfix.Table("pgsql-aliases.cf");
    int missing = 0;
    for (int row = first; row < first + count; ++row) {
      const harness::Answer answer = client.Lookup(table, KeyOf(row));
      if (answer.Is(protocol::Status::kNoKey)) {
        ++missing;
      } else {
        EXPECT_TRUE(answer.IsValue("box1@store.example.net")) << harness::Describe(answer);
      }
    }
    return missing;
  }
  HostStatus Late(const Drill::Scene& scene) const {
    return HostStatusOf(scene.postfix, late_->TcpHost());
  }

  harness::TempDirectory directory_;
  std::unique_ptr<PostgresCluster> primary_, late_, prompt_;
  std::optional<Drill> drill_;
  int instances_ = 0;
  int rows_ = 0;  // that were inserted
};

TEST_F(LagDrill, AStandbyWhoseReplayStandsStillIsNotAskedUntilItHasCaughtUp) {
  const std::string name = "replay of one of two standbys paused";
  Run(name, "pool: {max_replica_lag: 2s}\n", [&](Drill::Scene& scene) {
    Replay(false);
    const int first = rows_;
    rows_ += kNewRows;
    Insert(first, 1);
    const auto begun = std::chrono::steady_clock::now();
    Insert(first + 1, kNewRows - 1);
    if (!scene.stock()) {
      EXPECT_TRUE(Eventually([&] { return Late(scene).too_far_behind; })) << scene.postfix.Log();
      EXPECT_FALSE(Late(scene).usable);
      EXPECT_EQ(Late(scene).role, "standby");
    }
    // The limit, and a second.
    const double noticed_ms = Since(begun);
    EXPECT_LT(noticed_ms, scene.stock() ? 1e9 : Bound(3000)) << scene.postfix.Log();
    const int missing = NotFound(scene, first, kNewRows);
    char figure[120];
    std::snprintf(figure, sizeof(figure),
                  "%.0f ms after the first row: %d of %d new rows not found", noticed_ms, missing,
                  kNewRows);
    SayFigure(name, scene.name, figure);
    if (!scene.stock()) {
      EXPECT_EQ(missing, 0) << scene.postfix.Log();
    }
    Replay(true);
    if (scene.stock()) return;
    EXPECT_TRUE(Eventually([&] { return Late(scene).usable; })) << scene.postfix.Log();
    EXPECT_TRUE(Eventually([&] { return Late(scene).connections > 1; })) << scene.postfix.Log();
    EXPECT_TRUE(scene.load.WaitForAnswers(5000));
    EXPECT_EQ(NotFound(scene, first, kNewRows), 0);
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
