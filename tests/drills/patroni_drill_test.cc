// Three servers under Patroni, as sites have them: once with HAProxy in front, which asks Patroni
// who is the primary, and once with all three in `hosts` and target_session_attrs. Lookups wait for
// what Patroni needs to find a new primary; none is lost, and none is answered by a server that is
// one no more.
#include <gtest/gtest.h>

#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "tests/drills/drill.h"
#include "tests/drills/mail_drill.h"
#include "tests/harness/ha_proxy.h"
#include "tests/harness/patroni_cluster.h"
#include "tests/harness/proxymap_client.h"
#include "tests/harness/temp_directory.h"

namespace proxymux::drills {
namespace {

using harness::Eventually;
using harness::HaProxy;
using harness::kMailDatabase;
using harness::PatroniCluster;
using harness::seconds;

constexpr int kUsers = 1000;
constexpr int kAsking = 50;
constexpr int kRows = 20;

// Patroni's lease is 20 s: a wait that is longer, so that what is asserted is that none is lost.
constexpr char kPatient[] = "outage_wait: 2m";

class PatroniDrill : public testing::Test {
 protected:
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
      EXPECT_TRUE(Eventually([&] {
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

  // What happens is over when there is a primary again, and `mend` makes the cluster whole.
  void Run(
      const std::string& name, const std::string& hosts, const std::string& session_attrs,
      const std::function<void()>& happening, const std::function<void()>& mend = [] {}) {
    // A standby may lack what was committed a moment ago.
    const bool primary_only = session_attrs != "prefer-standby";
    DrillOptions options;
    options.name = "Patroni, " + name;
    options.clients = kAsking;
    options.postfix.proxymux = harness::ProxymuxBinary();
    const std::string attrs =
        session_attrs.empty() ? "" : ", target_session_attrs: " + session_attrs;
    options.postfix.yaml =
        "pool: {" + std::string(kPatient) + attrs + "}\ntable: {lookup_timeout: 5m}\n";
    options.postfix.tables = harness::MailTables(hosts);
    Drill drill(
        options, [] { return *directory_ / std::to_string(++instances_); },
        [&] {
          mend();
          cluster_->AwaitComplete();
        });
    const harness::LoadReport report = drill.Run([&](Drill::Scene& scene) {
      const auto begun = std::chrono::steady_clock::now();
      happening();
      const std::size_t primary = cluster_->Primary();
      char figure[100];
      std::snprintf(figure, sizeof(figure), "a primary again after %.0f ms", Since(begun));
      SayFigure(options.name, scene.name, figure);
      EXPECT_TRUE(scene.load.WaitForAnswers(5000, scene.patience()) || scene.stock())
          << scene.postfix.Log();
      if (!scene.stock() && primary_only) ExpectAnswersOf(scene, primary);
    });
    EXPECT_EQ(report.Failed(), 0U) << report.Text() << '\n' << drill.log() << cluster_->Logs();
  }

  // A server that was the primary before does not have these rows.
  static void ExpectAnswersOf(const Drill::Scene& scene, std::size_t primary) {
    harness::ProxymapClient client(scene.postfix.SocketPath());
    for (int i = 0; i < kRows; ++i) {
      const std::string key = "new" + std::to_string(++rows_) + "@example1.com";
      cluster_->Sql(primary, kMailDatabase,
                    "INSERT INTO alias (address, goto) VALUES ('" + key + "', '" + key + "')");
      const harness::Answer answer = client.Lookup(scene.postfix.Table("pgsql-aliases.cf"), key);
      EXPECT_TRUE(answer.IsValue(key)) << harness::Describe(answer) << scene.postfix.Log();
    }
  }

  static void CutOffThePrimary(bool clients) {
    cut_off_ = cluster_->Primary();
    cluster_->CutOff(*cut_off_, clients);
  }
  static void Rejoin() {
    if (cut_off_.has_value()) cluster_->Rejoin(*cut_off_);
    cut_off_.reset();
  }

  static inline std::unique_ptr<harness::TempDirectory> directory_;
  static inline std::unique_ptr<PatroniCluster> cluster_;
  static inline std::optional<std::size_t> cut_off_;
  static inline int instances_ = 0;
  static inline int rows_ = 0;
};

TEST_F(PatroniDrill, SwitchoverAmongHosts) {
  Run("switchover, hosts and read-write", Hosts(), "read-write", [] { cluster_->SwitchOver(); });
}

TEST_F(PatroniDrill, TheServerOfThePrimaryIsKilledAmongHosts) {
  Run("kill -9 of the primary, hosts and read-write", Hosts(), "read-write",
      [] { cluster_->KillServer(cluster_->Primary()); });
}

TEST_F(PatroniDrill, ThePrimaryIsCutOffFromEtcdOnlyAmongHosts) {
  if (!Thorough()) GTEST_SKIP() << "takes as long as Patroni's lease: under scripts/drill";
  Run(
      "primary cut off from etcd, hosts and read-write", Hosts(), "read-write",
      [] { CutOffThePrimary(/*clients=*/false); }, Rejoin);
}

TEST_F(PatroniDrill, ThePrimaryIsCutOffAmongHosts) {
  if (!Thorough()) GTEST_SKIP() << "takes as long as Patroni's lease: under scripts/drill";
  Run(
      "primary cut off from all, hosts and read-write", Hosts(), "read-write",
      [] { CutOffThePrimary(/*clients=*/true); }, Rejoin);
}

// Lookups go on at the standbys while there is no primary.
TEST_F(PatroniDrill, SwitchoverWhereStandbysArePreferred) {
  Run("switchover, hosts and prefer-standby", Hosts(), "prefer-standby", [] {
    cluster_->SwitchOver();
    cluster_->AwaitComplete();
  });
}

class PatroniBehindHaProxy : public PatroniDrill {
 protected:
  PatroniBehindHaProxy() {
    HaProxy::Options options;
    options.check = {"option httpchk GET /primary"};
    for (std::size_t node = 0; node < PatroniCluster::kNodes; ++node) {
      HaProxy::Server server{"node" + std::to_string(node), cluster_->TcpHost(node)};
      server.check_port = cluster_->rest_port(node);
      options.servers.push_back(server);
    }
    balancer_ = std::make_unique<HaProxy>(*directory_ / ("haproxy" + std::to_string(++instances_)),
                                          options);
    balancer_->Start();
    AwaitPrimary();
  }

  // HAProxy has found out who the primary is.
  void AwaitPrimary() {
    const std::size_t primary = cluster_->Primary();
    EXPECT_TRUE(Eventually([&] {
      for (std::size_t node = 0; node < PatroniCluster::kNodes; ++node) {
        const bool up = balancer_->StateOf("node" + std::to_string(node)) == "UP";
        if (up != (node == primary)) return false;
      }
      return true;
    }));
  }

  std::unique_ptr<HaProxy> balancer_;
};

TEST_F(PatroniBehindHaProxy, Switchover) {
  Run("switchover, HAProxy", balancer_->TcpHost(), "", [this] {
    cluster_->SwitchOver();
    AwaitPrimary();
  });
}

TEST_F(PatroniBehindHaProxy, TheServerOfThePrimaryIsKilled) {
  Run("kill -9 of the primary, HAProxy", balancer_->TcpHost(), "", [this] {
    cluster_->KillServer(cluster_->Primary());
    AwaitPrimary();
  });
}

TEST_F(PatroniBehindHaProxy, ThePrimaryIsCutOff) {
  if (!Thorough()) GTEST_SKIP() << "takes as long as Patroni's lease: under scripts/drill";
  Run(
      "primary cut off from all, HAProxy", balancer_->TcpHost(), "",
      [this] {
        CutOffThePrimary(/*clients=*/true);
        AwaitPrimary();
      },
      Rejoin);
}

}  // namespace
}  // namespace proxymux::drills
