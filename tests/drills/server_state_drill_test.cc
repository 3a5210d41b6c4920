// Servers that are there and do not let us in: full, starting up, shutting down, with another
// password, without the database. The other mirror answers; what is wrong is said once and in the
// server's words; and the host is used again by itself.
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdio>
#include <functional>
#include <string>

#include "tests/drills/mail_drill.h"
#include "tests/harness/host_status.h"

namespace proxymux::drills {
namespace {

using harness::Eventually;
using harness::HostStatus;
using harness::HostStatusOf;
using harness::kMailDatabase;
using harness::kMailPassword;
using harness::kMailRole;
using harness::LoadReport;
using harness::PostgresCluster;
using harness::seconds;
using std::chrono::steady_clock;

constexpr double kLongestMs = 1500;  // what no failure of one mirror may cost

// With the jitter never longer than that, in the table files of these drills.
constexpr seconds kRetryInterval(2);

class ServerStateDrill : public MailDrill {
 protected:
  // Tables with a retry_interval, which Postfix knows since 3.9; `hosts` as in a table file.
  Drill MakeFor(const std::string& name, const std::string& hosts) {
    DrillOptions options = Options(name, kClients);
    options.postfix.tables = harness::MailTables(hosts);
    for (harness::TableFile& table : options.postfix.tables) {
      table.text += "retry_interval = " + std::to_string(kRetryInterval.count()) + "\n";
    }
    options.postfix.main_cf.push_back("mail_version = 3.9.0");
    return Make(options);
  }

  std::string first_host() { return world_.first().TcpHost(); }
  void Sql(const std::string& text) { world_.first().Sql("postgres", text); }
  void EndSessions(PostgresCluster& mirror) {
    mirror.Sql("postgres",
               "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = '" +
                   std::string(kMailRole) + "'");
  }

  // The first mirror goes out of use for that reason, while nobody notices.
  void ExpectOut(Drill::Scene& scene, const std::string& reason) {
    if (scene.stock()) return scene.LetRun(seconds(2));
    HostStatus host;
    EXPECT_TRUE(Eventually([&] {
      host = HostStatusOf(scene.postfix, first_host());
      return host.state == "down" && host.reason.find(reason) != std::string::npos;
    })) << host.state
        << ": " << host.reason << '\n'
        << scene.postfix.Log();
    EXPECT_TRUE(scene.load.WaitForAnswers(10000)) << scene.postfix.Log();
    EXPECT_TRUE(scene.postfix.WaitForLog("host " + first_host() + " is out of use: "));
    EXPECT_TRUE(scene.postfix.WaitForLog(reason)) << scene.postfix.Log();
  }

  // It was mended at `mended`.
  void ExpectBack(Drill::Scene& scene, const Drill& drill, steady_clock::time_point mended,
                  harness::milliseconds within) {
    if (scene.stock()) return scene.LetRun(seconds(5));
    const bool back = Eventually(
        [&] { return HostStatusOf(scene.postfix, first_host()).state == "up"; }, seconds(20));
    const double after = Since(mended);
    char figure[100];
    std::snprintf(figure, sizeof(figure), "used again %s %.0f ms", back ? "after" : "not within",
                  after);
    SayFigure(drill.name(), scene.service, figure);
    EXPECT_TRUE(back) << scene.postfix.Log();
    EXPECT_LT(after, Bound(static_cast<double>(within.count()) + scene.machine.away_ms()))
        << scene.postfix.Log();
    EXPECT_TRUE(scene.load.WaitForAnswers(10000)) << scene.postfix.Log();
    EXPECT_TRUE(scene.postfix.WaitForLog("host " + first_host() + " is in use again after"));
  }

  static void ExpectNoSecret(const Drill& drill) {
    for (const char* secret : {kMailPassword, "let%20me%20read"}) {
      EXPECT_EQ(drill.log().find(secret), std::string::npos) << secret << '\n' << drill.log();
    }
  }

  // `spoil` and `mend` are statements for the first mirror; `mend` is run in any case.
  void ExpectNotSeen(const std::string& name, const std::string& hosts,
                     const std::function<void()>& spoil, const std::string& reason,
                     const std::function<void()>& mend, harness::milliseconds within) {
    Drill drill = MakeFor(name, hosts);
    const LoadReport report = drill.Run([&](Drill::Scene& scene) {
      spoil();
      ExpectOut(scene, reason);
      mend();
      ExpectBack(scene, drill, steady_clock::now(), within);
    });
    ExpectKept(drill, report, kLongestMs);
    ExpectNoSecret(drill);
  }

  const std::string role_ = "ALTER ROLE " + std::string(kMailRole) + " ";
  const std::string right_ = role_ + "PASSWORD '" + kMailPassword + "'";
  const std::string wrong_ = role_ + "PASSWORD 'let nobody read'";
};

// What a host that refuses may take to be used again: its next attempt, and the answer to it.
constexpr harness::milliseconds kRefusedFor = kRetryInterval + seconds(1);
constexpr harness::milliseconds kUnreachableFor = seconds(1);

TEST_F(ServerStateDrill, OneTakesNoMoreConnections) {
  ExpectNotSeen(
      "connection limit of a mirror reached", world_.Hosts(),
      [this] {
        Sql(role_ + "CONNECTION LIMIT 0");
        EndSessions(world_.first());
      },
      "too many connections for role", [this] { Sql(role_ + "CONNECTION LIMIT -1"); },
      kUnreachableFor);
}

TEST_F(ServerStateDrill, OneTakesNoMoreConnectionsBesidesTheOpenOnes) {
  Drill drill = Make("connection limit of a mirror reached, one open", kClients);
  const LoadReport report = drill.Run([&](Drill::Scene& scene) {
    Sql(role_ + "CONNECTION LIMIT 1");
    const auto pids = world_.first().BackendPids(kMailRole);
    ASSERT_GE(pids.size(), 1U);
    // One stays; the others cannot be replaced.
    for (std::size_t i = 1; i < pids.size(); ++i) ::kill(pids[i], SIGTERM);
    if (!scene.stock()) {
      ASSERT_EQ(pids.size(), 2U);
      ExpectOut(scene, "too many connections for role");
      const HostStatus host = HostStatusOf(scene.postfix, first_host());
      EXPECT_TRUE(host.usable);
      EXPECT_EQ(host.connections, 1);
      EXPECT_TRUE(scene.postfix.WaitForLog("; its 1 open connections stay in use"));
      EXPECT_EQ(world_.first().BackendPids(kMailRole), std::vector<pid_t>{pids[0]});
    }
    Sql(role_ + "CONNECTION LIMIT -1");
    ExpectBack(scene, drill, steady_clock::now(), kUnreachableFor);
  });
  ExpectKept(drill, report, kLongestMs);
}

TEST_F(ServerStateDrill, OneIsStartingUp) {
  ExpectNotSeen(
      "a mirror is starting up", world_.Hosts(),
      [this] {
        world_.first().Stop();
        world_.first().StartRefusing();
      },
      "the database system is",
      [this] {
        world_.first().Stop();
        world_.first().Start();
      },
      kUnreachableFor);
}

// "smart": the open sessions hold the server up, so they are ended one after the other.
TEST_F(ServerStateDrill, OneIsShuttingDown) {
  Drill drill = Make("a mirror shuts down smartly", kClients);
  const LoadReport report = drill.Run([&](Drill::Scene& scene) {
    const auto pids = world_.first().BackendPids(kMailRole);
    world_.first().BeginSmartStop();
    EXPECT_TRUE(scene.load.WaitForAnswers(10000) || scene.stock());
    EXPECT_TRUE(world_.first().Running());
    ASSERT_GE(pids.size(), 1U);
    ::kill(pids[0], SIGTERM);
    ExpectOut(scene, pids.size() > 1 ? "the database system is shutting down" : "");
    for (std::size_t i = 1; i < pids.size(); ++i) ::kill(pids[i], SIGTERM);
    // Stock's many sessions may hold it up for long.
    if (scene.stock()) world_.first().Stop();
    EXPECT_TRUE(Eventually([&] { return !world_.first().Running(); }));
    ExpectOut(scene, "Connection refused");
    world_.first().Start();
    ExpectBack(scene, drill, steady_clock::now(), kUnreachableFor);
  });
  ExpectKept(drill, report, kLongestMs);
}

TEST_F(ServerStateDrill, OneHasAnotherPassword) {
  ExpectNotSeen(
      "password changed on a mirror", world_.Hosts(),
      [this] {
        Sql(wrong_);
        EndSessions(world_.first());
      },
      "password authentication failed", [this] { Sql(right_); }, kRefusedFor);
}

TEST_F(ServerStateDrill, OneHasAnotherPasswordThanItsUri) {
  std::string uris;
  for (auto* mirror : {&world_.first(), &world_.second()}) {
    uris += "postgresql://" + std::string(kMailRole) + ":let%20me%20read@" + mirror->TcpHost() +
            "/" + kMailDatabase + " ";
  }
  ExpectNotSeen(
      "password changed on a mirror given by URI", uris,
      [this] {
        Sql(wrong_);
        EndSessions(world_.first());
      },
      "password authentication failed", [this] { Sql(right_); }, kRefusedFor);
}

TEST_F(ServerStateDrill, BothHaveAnotherPassword) {
  Drill drill = MakeFor("password changed on both mirrors", world_.Hosts());
  const LoadReport report = drill.Run([&](Drill::Scene& scene) {
    for (auto* mirror : {&world_.first(), &world_.second()}) {
      mirror->Sql("postgres", wrong_);
      EndSessions(*mirror);
    }
    if (scene.stock()) {
      scene.LetRun(seconds(2));
    } else {
      const auto all_down = [&] {
        return HostStatusOf(scene.postfix, first_host()).state == "down" &&
               HostStatusOf(scene.postfix, world_.second().TcpHost()).state == "down";
      };
      EXPECT_TRUE(Eventually(all_down)) << scene.postfix.Log();
      // Answered at once: this many in that time.
      const std::uint64_t failed = scene.load.failed();
      EXPECT_TRUE(Eventually([&] { return scene.load.failed() > failed + 5000; }));
      EXPECT_TRUE(scene.postfix.WaitForLog("password authentication failed"));
    }
    for (auto* mirror : {&world_.first(), &world_.second()}) mirror->Sql("postgres", right_);
    const auto mended = steady_clock::now();
    ExpectBack(scene, drill, mended, kRefusedFor);
    if (scene.stock()) return;
    const std::uint64_t failed = scene.load.failed();
    EXPECT_TRUE(scene.load.WaitForAnswers(10000)) << scene.postfix.Log();
    EXPECT_EQ(scene.load.failed(), failed) << "lookups fail although a mirror answers";
  });
  EXPECT_EQ(report.wrong + report.config + report.fatal + report.lost, 0U) << report.Text();
  EXPECT_LT(report.max_ms, drill.Allowed(kLongestMs)) << report.Text() << drill.log();
  ExpectNoSecret(drill);
}

TEST_F(ServerStateDrill, OneLosesItsDatabase) {
  const std::string database = kMailDatabase;
  const std::string kept = database + "_kept";
  Sql("CREATE DATABASE " + kept + " TEMPLATE " + database);
  ExpectNotSeen(
      "database dropped on a mirror and made again", world_.Hosts(),
      [&] { Sql("DROP DATABASE " + database + " WITH (FORCE)"); },
      "database \"" + database + "\" does not exist",
      [&] { Sql("CREATE DATABASE " + database + " TEMPLATE " + kept); }, kRefusedFor);
  Sql("DROP DATABASE " + kept);
}

TEST_F(ServerStateDrill, OneLocksItsDatabase) {
  const std::string database = "ALTER DATABASE " + std::string(kMailDatabase) + " ";
  ExpectNotSeen(
      "a mirror's database takes no connections", world_.Hosts(),
      [&] {
        Sql(database + "ALLOW_CONNECTIONS false");
        EndSessions(world_.first());
      },
      "is not currently accepting connections", [&] { Sql(database + "ALLOW_CONNECTIONS true"); },
      kRefusedFor);
}

}  // namespace
}  // namespace proxymux::drills
