// What packets that get lost between the service and its mirrors mean for the clients. Nobody is
// told that a host is gone: it has to be found out by waiting.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/drills/drill.h"
#include "tests/drills/network_world.h"
#include "tests/drills/pool_status.h"
#include "tests/drills/time_to_use.h"
#include "tests/harness/pg_bouncer.h"
#include "tests/harness/proxymap_client.h"

namespace proxymux::drills {
namespace {

using harness::Answer;
using harness::Deadline;
using harness::Eventually;
using harness::LoadReport;
using harness::milliseconds;
using harness::PgBouncer;
using harness::PostfixInstance;
using harness::ProxymapClient;
using harness::seconds;
using harness::Service;
using protocol::Status;

class NetworkDrill : public testing::Test {
 protected:
  PostfixInstance::Options Options() {
    PostfixInstance::Options options;
    options.service = Service::kInPlace;
    options.proxymux = harness::ProxymuxBinary();
    options.tables = harness::MailTables(world_.Hosts());
    return options;
  }

  DrillOptions For(const std::string& name, int clients, const std::string& yaml = "") {
    DrillOptions options;
    options.name = name;
    options.clients = clients;
    options.postfix = Options();
    options.postfix.yaml = yaml;
    return options;
  }
  Drill Make(const DrillOptions& options) {
    return Drill(
        options, [this] { return world_.NewDirectory(); }, [this] { world_.Mend(); });
  }

  // Packets pass again between the service and `mirror`.
  static int MillisecondsUntilBack(const Drill::Scene& scene, NetworkWorld::Mirror& mirror) {
    return MillisecondsUntilUsed(
        mirror.cluster(), [&] { mirror.room().Open(); }, scene.patience());
  }

  // Lookups wait; `until_over` returns when packets are to pass again.
  void ExpectNoneLost(const std::string& name, const Drill::Happening& until_over);
  void ExpectAllCutOffAndBack(const std::string& name, const std::string& yaml, milliseconds first,
                              milliseconds outage);

  NetworkWorld& world_ = NetworkWorld::Instance();
  std::string log_;
};

TEST_F(NetworkDrill, OneIsCutOff) {
  const std::string name = "one of two mirrors cut off for 6 s by dropped packets";
  Drill drill = Make(For(name, 100));
  int back = 0;
  const LoadReport report = drill.Run([&](Drill::Scene& scene) {
    world_.first().room().Shut();
    scene.LetRun(seconds(6));
    back = MillisecondsUntilBack(scene, world_.first());
    SayFigure(name, scene.service, "used again after " + std::to_string(back) + " ms");
    scene.load.WaitForAnswers(5000);
  });
  EXPECT_EQ(report.Failed(), 0U) << report.Text() << drill.log();
  EXPECT_LT(report.max_ms, drill.Allowed(1500)) << report.Text() << drill.log();
  EXPECT_LT(back, drill.Allowed(1500)) << drill.log();
}

// Packets pass again at different times of the attempt to connect that is under way.
TEST_F(NetworkDrill, OneIsCutOffAgainAndAgain) {
  const std::string name = "one of two mirrors cut off again and again";
  Drill drill = Make(For(name, 100));
  std::vector<int> back;
  const LoadReport report = drill.Run([&](Drill::Scene& scene) {
    back.clear();
    std::string figure = "used again after";
    for (int i = 0; i < (Thorough() ? 5 : 2); ++i) {
      world_.first().room().Shut();
      scene.LetRun(milliseconds(5000 + 700 * i));
      back.push_back(MillisecondsUntilBack(scene, world_.first()));
      figure += " " + std::to_string(back.back());
      scene.load.WaitForAnswers(5000);
    }
    SayFigure(name, scene.service, figure + " ms");
  });
  EXPECT_EQ(report.Failed(), 0U) << report.Text() << drill.log();
  EXPECT_LT(report.max_ms, drill.Allowed(1500)) << report.Text() << drill.log();
  EXPECT_LT(*std::max_element(back.begin(), back.end()), drill.Allowed(1500)) << drill.log();
}

// `first`: until it is known that no host answers.
void NetworkDrill::ExpectAllCutOffAndBack(const std::string& name, const std::string& yaml,
                                          milliseconds first, milliseconds outage) {
  constexpr int kClients = 50;
  Drill drill = Make(For(name, kClients, yaml));
  int known = 0, later = 0, back = 0, most_queued = 0;
  std::uint64_t failed_after = 0;
  const LoadReport report = drill.Run([&](Drill::Scene& scene) {
    ProxymapClient client(scene.postfix.SocketPath());
    const std::string table = scene.postfix.Table("pgsql-aliases.cf");
    const Deadline end(outage);
    world_.first().room().Shut();
    world_.second().room().Shut();
    const Stopwatch since_cut;
    const auto retried = [&] {
      return client.Lookup(table, harness::AliasOf(1), harness::kPostmapFlags, scene.patience())
          .Is(Status::kRetry);
    };
    EXPECT_TRUE(Eventually(retried, scene.patience()) || scene.stock());
    known = since_cut.Milliseconds();
    // A stock process makes each client wait by itself, for longer than the test wants to.
    while (!scene.stock() && !end.Passed()) {
      const Stopwatch asked;
      const Answer answer = client.Lookup(table, harness::AliasOf(2));
      EXPECT_TRUE(answer.Is(Status::kRetry)) << Describe(answer);
      later = std::max(later, asked.Milliseconds());
      most_queued = std::max(most_queued, ReadPoolState(scene.postfix).queued);
    }
    const Stopwatch since_back;
    world_.first().room().Open();
    const auto answered = [&] {
      return client.Lookup(table, harness::AliasOf(3), harness::kPostmapFlags, scene.patience())
          .IsValue(harness::AddressOf(3));
    };
    EXPECT_TRUE(Eventually(answered, scene.patience()) || scene.stock());
    back = since_back.Milliseconds();
    scene.load.WaitForAnswers(1000);
    const std::uint64_t failed = scene.load.failed();
    scene.LetRun(seconds(2));
    failed_after = scene.load.failed() - failed;
    SayFigure(name, scene.service,
              "RETRY after " + std::to_string(known) + " ms, later ones within " +
                  std::to_string(later) + " ms; answers again after " + std::to_string(back) +
                  " ms");
  });
  EXPECT_LT(known, drill.Allowed(static_cast<double>(first.count() + 500))) << drill.log();
  EXPECT_LT(report.max_ms, drill.Allowed(static_cast<double>(first.count() + 500)))
      << report.Text() << drill.log();
  EXPECT_LT(later, drill.Allowed(50)) << drill.log();
  EXPECT_LE(most_queued, kClients + 1);
  EXPECT_LT(back, drill.Allowed(1500)) << drill.log();
  EXPECT_EQ(failed_after, 0U) << report.Text() << drill.log();
  EXPECT_EQ(report.wrong + report.config + report.fatal + report.lost, 0U) << report.Text();
}

TEST_F(NetworkDrill, AllAreCutOff) {
  ExpectAllCutOffAndBack("all mirrors cut off for 10 s, no outage_wait",
                         "pool: {outage_wait: 0s}\n", seconds(4), seconds(10));
}

TEST_F(NetworkDrill, AllAreCutOffWithShortLimits) {
  ExpectAllCutOffAndBack(
      "all mirrors cut off for 3 s, short limits, no outage_wait",
      DrillMode() ? "pool: {connect_timeout: 300ms, stall_limit: 200ms, outage_wait: 0s}\n"
                  : "pool: {connect_timeout: 2s, stall_limit: 2s, outage_wait: 0s}\n",
      milliseconds(500), seconds(DrillMode() ? 3 : 8));
}

// Nobody is told that packets pass again, either: an attempt that began while they did not may hang
// for seconds.
void NetworkDrill::ExpectNoneLost(const std::string& name, const Drill::Happening& until_over) {
  DrillOptions options = For(name, 50, ForShortOutage());
  options.with_bouncer = [this](const auto& run) {
    std::vector<std::unique_ptr<PgBouncer>> between;
    std::string hosts;
    for (auto* mirror : {&world_.first(), &world_.second()}) {
      between.push_back(std::make_unique<PgBouncer>(world_.NewDirectory(), mirror->cluster(),
                                                    PgBouncer::ForStock()));
      between.back()->Start();
      hosts += " " + between.back()->TcpHost();
    }
    run(harness::MailTables(hosts));
  };
  Drill drill = Make(options);
  int longest = 0;
  const LoadReport report = drill.Run([&](Drill::Scene& scene) {
    for (int i = 0; i < (scene.stock() ? 1 : Outages()); ++i) {
      if (i > 0) scene.AwaitNextOutage();
      world_.first().room().Shut();
      world_.second().room().Shut();
      until_over(scene);
      const Stopwatch since_back;
      world_.Mend();
      scene.IsOver();
      EXPECT_TRUE(scene.load.WaitForAnswers(1, scene.patience()) || scene.stock());
      longest = std::max(longest, since_back.Milliseconds());
      EXPECT_TRUE(scene.load.WaitForAnswers(10000, scene.patience()) || scene.stock());
    }
    SayFigure(name, scene.name, "answers again after " + std::to_string(longest) + " ms");
  });
  log_ = drill.log();
  EXPECT_EQ(report.Failed(), 0U) << report.Text() << log_;
  EXPECT_LT(longest, drill.Allowed(1000)) << log_;
  EXPECT_TRUE(drill.AsBefore()) << drill.BeforeAndAfter() << '\n' << log_;
}

TEST_F(NetworkDrill, LookupsWaitForAllThatAreCutOff) {
  ExpectNoneLost("all mirrors cut off for 3 s by dropped packets",
                 [](Drill::Scene& scene) { scene.LetRun(seconds(3)); });
}

// It takes stall_limit and connect_timeout until that is known, 4 s: the outage begins then.
TEST_F(NetworkDrill, LookupsWaitForAllThatAreKnownToBeCutOff) {
  ExpectNoneLost("all mirrors cut off for 6 s by dropped packets", [](Drill::Scene& scene) {
    const Stopwatch since_cut;
    EXPECT_TRUE(scene.stock() || AwaitWaiting(scene.postfix)) << scene.postfix.Log();
    scene.LetRun(milliseconds(std::max(0, 6000 - since_cut.Milliseconds())));
  });
  EXPECT_TRUE(SaysThatLookupsWaited(log_)) << log_;
}

// Each pool tries one of its hosts first, at random: with several of them some meet the one that is
// cut off.
TEST_F(NetworkDrill, AColdStartWithOneCutOff) {
  constexpr int kPools = 12;
  PostfixInstance::Options options = Options();
  for (int i = 0; i < kPools; ++i) {
    options.tables.push_back({"cold" + std::to_string(i) + ".cf",
                              "hosts = " + world_.Hosts() + "\nuser = " + harness::kMailRole +
                                  "\npassword = " + harness::kMailPassword +
                                  "\ndbname = dbname=" + harness::kMailDatabase +
                                  " application_name=cold" + std::to_string(i) +
                                  "\nquery = SELECT goto FROM alias WHERE address = '%s'\n"});
  }
  world_.first().room().Shut();
  PostfixInstance postfix(world_.NewDirectory(), options);
  postfix.Start();
  ProxymapClient client(postfix.SocketPath());
  ASSERT_TRUE(client.Open(postfix.Table("cold0.cf")).Is(Status::kOk)) << postfix.Log();
  std::vector<int> waits;
  const MachineWatch machine;
  for (int i = 0; i < kPools; ++i) {
    const Stopwatch asked;
    const Answer answer =
        client.Lookup(postfix.Table("cold" + std::to_string(i) + ".cf"), harness::AliasOf(i + 1));
    waits.push_back(asked.Milliseconds());
    EXPECT_TRUE(answer.IsValue(harness::AddressOf(i + 1))) << Describe(answer) << postfix.Log();
  }
  std::sort(waits.begin(), waits.end());
  SayFigure("cold start with one of two mirrors cut off", Service::kInPlace,
            "first lookups wait " + std::to_string(waits.front()) + " to " +
                std::to_string(waits.back()) + " ms");
  EXPECT_LT(waits.back(), Bound(500 + machine.away_ms())) << postfix.Log();
  // It was found out by waiting: the packets were dropped, not refused.
  EXPECT_TRUE(postfix.WaitForLog("timed out")) << postfix.Log();
  world_.Mend();
}

}  // namespace
}  // namespace proxymux::drills
