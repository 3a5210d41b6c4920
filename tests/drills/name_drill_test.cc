// Hosts that have names, and a name server that is slow, silent or broken, or that has changed its
// mind about where a host is. Two mirrors on 127.0.0.2 and 127.0.0.3, one port, in a network of the
// test's own with its own resolv.conf.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "tests/drills/drill.h"
#include "tests/drills/time_to_use.h"
#include "tests/harness/admin_client.h"
#include "tests/harness/mail_schema.h"
#include "tests/harness/name_server.h"
#include "tests/harness/network_room.h"
#include "tests/harness/own_files.h"
#include "tests/harness/proxymap_client.h"
#include "tests/harness/temp_directory.h"

namespace proxymux::drills {
namespace {

using harness::Deadline;
using harness::LoadReport;
using harness::milliseconds;
using harness::NameServer;
using harness::PostfixInstance;
using harness::PostgresCluster;
using harness::ProxymapClient;
using harness::seconds;
using harness::Service;
using Manner = NameServer::Manner;

constexpr int kPort = 5432;  // a name has one port, wherever it leads
constexpr char kFirst[] = "127.0.0.2";
constexpr char kSecond[] = "127.0.0.3";
constexpr char kFirstName[] = "db1.mirrors.example";    // only the name server knows it
constexpr char kSecondName[] = "db2.mirrors.example";   // in /etc/hosts
constexpr milliseconds kResolverGivesUp = seconds(10);  // resolv.conf(5): twice 5 s

PostgresCluster::Options At(const std::string& address) {
  PostgresCluster::Options options;
  options.address = address;
  options.port = kPort;
  return options;
}

class NameWorld {
 public:
  static NameWorld& Instance() {
    harness::EnterOwnNetwork();
    static NameWorld world;
    return world;
  }

  NameServer& names() { return *names_; }
  PostgresCluster& first() { return first_; }
  PostgresCluster& second() { return second_; }
  std::string NewDirectory() { return directory_ / std::to_string(++directories_); }
  void Mend() {
    names_->SetManner(Manner::kAnswers);
    names_->SetAddress(kFirstName, kFirst);
    first_.Start();
    second_.Start();
  }

 private:
  NameWorld() : first_(directory_ / "pg1", At(kFirst)), second_(directory_ / "pg2", At(kSecond)) {
    harness::EnterOwnFiles(
        directory_.path(),
        {{"/etc/resolv.conf", "nameserver 127.0.0.1\n"},
         {"/etc/hosts", std::string("127.0.0.1 localhost\n") + kSecond + " " + kSecondName + "\n"},
         {"/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"}});
    for (auto* cluster : {&first_, &second_}) {
      cluster->Start();
      harness::CreateMailDatabase(*cluster);
    }
    names_ = std::make_unique<NameServer>();
    Mend();
  }

  harness::TempDirectory directory_;
  PostgresCluster first_, second_;
  std::unique_ptr<NameServer> names_;
  int directories_ = 0;
};

class NameDrill : public testing::Test {
 protected:
  Drill Make(const std::string& name, int clients, const std::string& hosts) {
    DrillOptions options;
    options.name = name;
    options.clients = clients;
    options.postfix.proxymux = harness::ProxymuxBinary();
    options.postfix.tables = harness::MailTables(hosts);
    return Drill(
        options, [this] { return world_.NewDirectory(); }, [this] { world_.Mend(); });
  }

  // For that long; the longest wait for an answer of the service's administration.
  static int LongestHealthCheck(Drill::Scene& scene, milliseconds time) {
    int longest = 0;
    const Deadline end(time);
    while (!end.Passed()) {
      const Stopwatch asked;
      EXPECT_EQ(harness::HttpGet(scene.postfix.AdminSocket(), "/healthz").status, 200);
      longest = std::max(longest, asked.Milliseconds());
      scene.LetRun(milliseconds(20));
    }
    return longest;
  }

  // A lookup of each table for which the load asks; the limit when one of them gets none.
  static int MillisecondsUntilAllAnswer(Drill::Scene& scene) {
    const Stopwatch since;
    for (const std::string& name : harness::LoadTables()) {
      const harness::MailLookup lookup = harness::LookupIn(name, 1);
      const auto asked = [&] {
        return ProxymapClient(scene.postfix.SocketPath())
            .Lookup(scene.postfix.Table(name), lookup.key, harness::kPostmapFlags, scene.patience())
            .Is(protocol::Status::kOk);
      };
      if (!harness::Eventually(asked, scene.patience())) {
        return static_cast<int>(scene.patience().count());
      }
    }
    return since.Milliseconds();
  }

  void ExpectNothingIsHeldUp(const std::string& what, Manner manner, milliseconds delay,
                             milliseconds back_limit);

  NameWorld& world_ = NameWorld::Instance();
};

// One mirror restarts while its name cannot be resolved as usual, the other has an address. Is the
// first used again although the name server is as bad as before? If not, `back_limit` is 0.
void NameDrill::ExpectNothingIsHeldUp(const std::string& what, Manner manner, milliseconds delay,
                                      milliseconds back_limit) {
  const std::string name = "one of two mirrors restarts, its name server " + what;
  Drill drill =
      Make(name, 100, std::string(kFirstName) + " " + kSecond + ":" + std::to_string(kPort));
  int health = 0;
  int back = 0;
  const LoadReport report = drill.Run([&](Drill::Scene& scene) {
    world_.names().SetManner(manner, delay);
    const std::uint64_t asked = world_.names().questions();
    world_.first().StopImmediate();
    if (scene.stock()) {
      scene.LetRun(seconds(8));
    } else {
      health = LongestHealthCheck(scene, seconds(8));
    }
    EXPECT_TRUE(world_.names().questions() > asked || scene.stock());
    std::string figure = "health check within " + std::to_string(health) + " ms";
    back = MillisecondsUntilUsed(
        world_.first(),
        [this, back_limit] {
          if (back_limit == milliseconds(0)) world_.names().SetManner(Manner::kAnswers);
          world_.first().Start();
        },
        scene.patience());
    SayFigure(name, scene.service,
              figure + "; used again " + std::to_string(back) + " ms after its " +
                  (back_limit == milliseconds(0) ? "name server's return" : "start"));
    scene.load.WaitForAnswers(5000);
  });
  EXPECT_EQ(report.Failed(), 0U) << report.Text() << drill.log();
  EXPECT_LT(report.max_ms, drill.Allowed(1500)) << report.Text() << drill.log();
  EXPECT_LT(health, drill.Allowed(500)) << drill.log();
  // The system's resolver asks a server that was silent again after 5 s at the latest.
  EXPECT_LT(back, drill.Allowed(back_limit == milliseconds(0) ? 7000 : back_limit.count()))
      << drill.log();
}

TEST_F(NameDrill, TheNameServerIsSilent) {
  ExpectNothingIsHeldUp("silent", Manner::kSilent, milliseconds(0), milliseconds(0));
}

TEST_F(NameDrill, TheNameServerFails) {
  ExpectNothingIsHeldUp("failing", Manner::kFails, milliseconds(0), milliseconds(0));
}

// Slower than connect_timeout: the answer comes when nobody waits for it any more, and is of use
// all the same.
TEST_F(NameDrill, TheNameServerIsSlow) {
  ExpectNothingIsHeldUp("slow by 4 s", Manner::kAnswers, seconds(4), seconds(10));
}

// The only host of a pool moves: no lookup is lost, and the old address is forgotten.
TEST_F(NameDrill, AHostMoves) {
  const std::string name = "the address of the only host changes, the old server stops";
  Drill drill = Make(name, 100, kFirstName);
  int moved = 0;
  const LoadReport report = drill.Run([&](Drill::Scene& scene) {
    world_.names().SetAddress(kFirstName, kSecond);
    scene.load.WaitForAnswers(2000);
    moved = MillisecondsUntilUsed(
        world_.second(), [this] { world_.first().StopImmediate(); }, scene.patience());
    SayFigure(name, scene.service, "new address used after " + std::to_string(moved) + " ms");
    scene.load.WaitForAnswers(5000);
  });
  EXPECT_EQ(report.Failed(), 0U) << report.Text() << drill.log();
  EXPECT_LT(report.max_ms, drill.Allowed(1000)) << report.Text() << drill.log();
  EXPECT_LT(moved, drill.Allowed(1000)) << drill.log();
}

// Five pools with a host that cannot be resolved at all. Each question keeps a thread of the
// service busy until the system's resolver gives up; yet files are looked at, other names are
// resolved, and there is no backlog of questions when the name server is back.
TEST_F(NameDrill, ManyNamesWithoutAnAnswer) {
  constexpr int kPools = 5;
  const std::string kChanged = "pgsql-relay.cf";  // by the drill: its clients would be surprised
  DrillOptions options;
  options.name = "five pools, a silent name server, the other mirror restarts";
  options.clients = 50;
  options.postfix.service = Service::kInPlace;
  options.postfix.proxymux = harness::ProxymuxBinary();
  const std::string hosts = std::string(kFirstName) + " " + kSecondName;
  int number = 0;
  for (harness::TableFile table : harness::MailTables(hosts)) {
    const std::string dbname = std::string("dbname = ") + harness::kMailDatabase;
    table.text.replace(table.text.find(dbname), dbname.size(),
                       "dbname = dbname=" + std::string(harness::kMailDatabase) +
                           " application_name=pool" + std::to_string(number++ % kPools));
    options.postfix.tables.push_back(table);
  }
  options.tables = harness::LoadTables();
  std::erase(options.tables, kChanged);
  Drill drill(
      options, [this] { return world_.NewDirectory(); }, [this] { world_.Mend(); });
  int file = 0, second = 0, first = 0;
  std::uint64_t burst = 0;
  const LoadReport report = drill.Run([&](Drill::Scene& scene) {
    world_.names().SetManner(Manner::kSilent);
    world_.first().StopImmediate();
    scene.LetRun((Thorough() ? 2 : 1) * kResolverGivesUp + seconds(5));

    if (!scene.stock()) {
      ProxymapClient client(scene.postfix.SocketPath());
      const std::string table = scene.postfix.Table(kChanged);
      const std::string file_path = scene.postfix.config_directory() + "/" + kChanged;
      const Stopwatch changed;
      scene.postfix.WriteConfig(kChanged,
                                harness::ReadFile(file_path) + "result_format = new:%s\n");
      EXPECT_TRUE(harness::Eventually([&] {
        return client.Lookup(table, "relay1@relay.example.org")
            .IsValue("new:relay1@relay.example.org");
      }));
      file = changed.Milliseconds();
    }

    world_.second().StopImmediate();
    world_.second().Start();
    second = MillisecondsUntilAllAnswer(scene);
    const std::uint64_t before = world_.names().questions();
    first = MillisecondsUntilUsed(
        world_.first(),
        [this] {
          world_.names().SetManner(Manner::kAnswers);
          world_.first().Start();
        },
        scene.patience());
    burst = world_.names().questions() - before;
    SayFigure(drill.name(), scene.service,
              "a changed file used after " + std::to_string(file) + " ms, the restarted mirror (" +
                  "in /etc/hosts) after " + std::to_string(second) + " ms, the other after " +
                  std::to_string(first) + " ms and " + std::to_string(burst) + " questions");
  });
  EXPECT_LT(file, drill.Allowed(2000)) << drill.log();
  EXPECT_LT(second, drill.Allowed(2000)) << drill.log();
  EXPECT_LT(first, drill.Allowed(7000)) << drill.log();
  EXPECT_LE(burst, 4U) << drill.log();
  EXPECT_EQ(report.wrong + report.config + report.fatal + report.lost, 0U) << report.Text();
}

}  // namespace
}  // namespace proxymux::drills
