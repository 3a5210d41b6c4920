// A lookup that fails for its own sake costs itself an answer; no other lookup is lost and no
// mirror leaves service.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "tests/drills/mail_drill.h"
#include "tests/drills/pool_status.h"

namespace proxymux::drills {
namespace {

using harness::LoadReport;
using harness::milliseconds;
using harness::ProxymapClient;
using harness::seconds;
using protocol::Status;

constexpr double kLongestMs = 1000;
// What a statement that does not end is given; others end in that also where a machine is busy.
const std::string kShort = DrillMode() ? "400ms" : "2s";

struct OddLookups {
  std::string name;
  std::string table;  // a file
  std::string key;
  Status status;
  int times = 100;
  std::string yaml = "";
  // Another lookup in the same table, asked in turn; empty: the table has none that can succeed.
  std::string good_key = "";
  std::string good_value = "";
};

class KeyDrill : public MailDrill {
 protected:
  KeyDrill() {
    for (auto* cluster : {&world_.first(), &world_.second()}) {
      cluster->Sql(harness::kMailDatabase,
                   "CREATE TABLE IF NOT EXISTS secret (address text, word text)");
    }
  }

  void ExpectAlone(const OddLookups& odd) {
    DrillOptions options = Options(odd.name, kClients, odd.yaml);
    options.ports.clear();  // a cancel request takes a connection as well
    const auto add = [&](const char* name, const char* query) {
      options.postfix.tables.push_back({name, harness::TableText(world_.Hosts(), query)});
    };
    add("broken.cf", "SELECT goto FRM alias WHERE address = '%s'");
    add("secret.cf", "SELECT word FROM secret WHERE address = '%s'");
    add("slow.cf", "SELECT CASE left('%s', 3) WHEN 'key' THEN pg_sleep(30)::text ELSE 'quick' END");
    Drill drill = Make(options);
    int most_sessions = 0;
    const LoadReport report = drill.Run([&](Drill::Scene& scene) {
      ProxymapClient client(scene.postfix.SocketPath());
      const harness::Deadline deadline(seconds(20));
      int others = 0;
      int asked = 0;
      int good_lost = 0;
      for (; asked < odd.times && !deadline.Passed(); ++asked) {
        const harness::Answer answer =
            client.Lookup(scene.postfix.Table(odd.table), odd.key + std::to_string(asked),
                          harness::kPostmapFlags, scene.patience());
        if (!answer.Is(odd.status)) ++others;
        if (!odd.good_key.empty()) {
          const harness::Answer good = client.Lookup(scene.postfix.Table(odd.table), odd.good_key,
                                                     harness::kPostmapFlags, scene.patience());
          if (!good.IsValue(odd.good_value)) ++good_lost;
        }
        if (scene.stock()) continue;
        EXPECT_TRUE(answer.Is(odd.status)) << Describe(answer);
        const PoolState state = ReadPoolState(scene.postfix);
        EXPECT_TRUE(state.All("up")) << state.Text();
        if (asked % 10 == 0) most_sessions = std::max(most_sessions, world_.Connections());
      }
      EXPECT_TRUE(scene.load.WaitForAnswers(5000, scene.patience()) || scene.stock())
          << scene.postfix.Log();
      EXPECT_TRUE(good_lost == 0 || scene.stock()) << scene.postfix.Log();
      char figure[150];
      std::snprintf(figure, sizeof(figure),
                    "%d such lookups, %d answered otherwise | %d good ones of the same table lost",
                    asked, others, good_lost);
      SayFigure(odd.name, scene.service, figure);
    });
    EXPECT_EQ(report.Failed(), 0U) << report.Text() << '\n' << drill.log();
    EXPECT_LT(report.max_ms, drill.Allowed(kLongestMs)) << report.Text() << '\n' << drill.log();
    EXPECT_LE(most_sessions, kConnectionLimit);
    EXPECT_EQ(drill.log().find("out of use"), std::string::npos) << drill.log();
  }
};

TEST_F(KeyDrill, TextWhereANumberBelongs) {
  ExpectAlone({"keys that the query fails for (22P02)", "pgsql-id.cf", "text", Status::kRetry, 100,
               "", "12", harness::AddressOf(12)});
}

TEST_F(KeyDrill, ABrokenQuery) {
  ExpectAlone({"a broken query (42601)", "broken.cf", "key", Status::kConfig});
}

TEST_F(KeyDrill, ATableThatMayNotBeRead) {
  ExpectAlone({"no permission (42501)", "secret.cf", "key", Status::kConfig});
}

// Each is cancelled on both mirrors, one after the other.
TEST_F(KeyDrill, AStatementThatIsCancelled) {
  ExpectAlone({"query_timeout (57014)", "slow.cf", "key", Status::kRetry, 4,
               "table: {query_timeout: " + kShort + "}\n", "good", "quick"});
}

TEST_F(KeyDrill, AStatementThatTheServerGivesUp) {
  const auto set = [this](const std::string& what) {
    for (auto* cluster : {&world_.first(), &world_.second()}) {
      cluster->Sql("postgres", "ALTER ROLE " + std::string(harness::kMailRole) + what);
    }
  };
  set(" SET statement_timeout = '" + kShort + "'");
  ExpectAlone(
      {"statement_timeout (57014)", "slow.cf", "key", Status::kRetry, 8, "", "good", "quick"});
  set(" RESET statement_timeout");
}

}  // namespace
}  // namespace proxymux::drills
