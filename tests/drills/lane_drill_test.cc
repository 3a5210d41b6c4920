// Many clients on a slow table, and then a lookup of a quick one: it is answered, with as many
// connections as there are, whether its table was measured lately, long ago or never, and the slow
// ones go on. In the long form its wait has a target: what the statements under way take at most.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>

#include "tests/drills/mail_drill.h"

namespace proxymux::drills {
namespace {

using harness::Answer;
using harness::Eventually;
using harness::LoadClients;
using harness::milliseconds;
using harness::PostfixInstance;
using harness::ProxymapClient;
using harness::seconds;
using harness::Service;
using Clock = std::chrono::steady_clock;

constexpr int kSlowClients = 60;
constexpr int kQuickLookups = 5;
constexpr milliseconds kSlowBefore{8000};
constexpr double kLongestMs = 500;  // a slow statement takes 200

constexpr char kQuick[] = "pgsql-aliases.cf";
constexpr char kOtherQuick[] = "pgsql-mailboxes.cf";
constexpr char kSlow[] = "pgsql-transport.cf";

// What the service has seen of the quick table when the slow clients come.
enum class Before {
  kNever,    // nothing
  kLongAgo,  // lookups for two seconds, and then none for six
  kJustNow,  // lookups until then
};

const char* Words(Before before) {
  switch (before) {
    case Before::kNever:
      return "never asked";
    case Before::kLongAgo:
      return "asked 6 s before";
    case Before::kJustNow:
      return "asked just before";
  }
  return "?";
}

class LaneDrill : public MailDrill {
 protected:
  void QuickBesideSlow(int connections, Before before) {
    if (Thorough()) Run(Service::kStock, connections, before);
    Run(Service::kInPlace, connections, before);
  }

 private:
  void Run(Service service, int connections, Before before) {
    world_.Mend();
    const bool stock = service == Service::kStock;
    auto options = world_.Options(service);
    options.tables = harness::MailTables(world_.first().TcpHost());
    for (auto& table : options.tables) {
      if (table.name != kSlow) continue;
      table.text = harness::TableText(
          world_.first().TcpHost(),
          "SELECT transport FROM mailbox_domain, pg_sleep(0.2) WHERE domain = '%d'",
          "result_format = %s:\n");
    }
    if (!stock) options.yaml = "pool: {connections: " + std::to_string(connections) + "}\n";
    PostfixInstance postfix(world_.NewDirectory(), options);
    postfix.Start();
    harness::LoadOptions load;
    load.socket = postfix.SocketPath();
    load.config_directory = postfix.config_directory();
    if (before != Before::kNever) {
      load.tables = {kQuick, kOtherQuick};
      load.clients = 20;
      LoadClients quick(load);
      Last(seconds(2));
      EXPECT_EQ(quick.Finish().Failed(), 0u);
    }
    if (before == Before::kLongAgo) Last(seconds(6));

    load.tables = {kSlow};
    load.clients = kSlowClients;
    LoadClients slow(load);
    Last(kSlowBefore);
    ProxymapClient client(postfix.SocketPath());
    double longest_ms = 0;
    int answered = 0;
    Answer answer;
    for (int i = 1; i <= kQuickLookups; ++i) {
      const auto lookup = harness::LookupIn(i % 2 == 0 ? kOtherQuick : kQuick, i);
      const auto asked = Clock::now();
      answer = client.Lookup(postfix.Table(i % 2 == 0 ? kOtherQuick : kQuick), lookup.key);
      longest_ms = std::max(longest_ms, Since(asked));
      if (!answer.IsValue(lookup.value)) break;  // that may take long each time
      ++answered;
    }
    const std::uint64_t slow_so_far = slow.answered() + slow.failed();
    const bool go_on =
        Eventually([&] { return slow.answered() + slow.failed() >= slow_so_far + 5; }, seconds(60));
    const auto report = slow.Finish();
    char figure[200];
    std::snprintf(
        figure, sizeof(figure),
        "%d of %d quick lookups got their value, the longest wait %.0f ms | the slow ones "
        "%llu times theirs, RETRY %llu times",
        answered, kQuickLookups, longest_ms, static_cast<unsigned long long>(report.answered),
        static_cast<unsigned long long>(report.retry));
    SayFigure("quick beside slow, " + std::to_string(connections) +
                  (connections == 1 ? " connection, " : " connections, ") + Words(before),
              service, figure);
    if (stock) return;
    EXPECT_EQ(answered, kQuickLookups) << harness::Describe(answer) << '\n' << postfix.Log();
    EXPECT_TRUE(go_on) << "the slow lookups stand still\n" << postfix.Log();
    EXPECT_GT(report.answered, 0u) << report.Text();
    EXPECT_EQ(report.wrong, 0u) << report.Text();
    EXPECT_EQ(report.fatal + report.lost, 0u) << report.Text();
    EXPECT_LT(longest_ms, Bound(kLongestMs)) << postfix.Log();
  }

  // The state of affairs lasts for that long.
  static void Last(milliseconds time) {
    Eventually([] { return false; }, time);
  }
};

TEST_F(LaneDrill, OneConnectionNeverAsked) { QuickBesideSlow(1, Before::kNever); }
TEST_F(LaneDrill, TwoConnectionsNeverAsked) { QuickBesideSlow(2, Before::kNever); }
TEST_F(LaneDrill, FourConnectionsNeverAsked) { QuickBesideSlow(4, Before::kNever); }
TEST_F(LaneDrill, OneConnectionAskedLongAgo) { QuickBesideSlow(1, Before::kLongAgo); }
TEST_F(LaneDrill, TwoConnectionsAskedLongAgo) { QuickBesideSlow(2, Before::kLongAgo); }
TEST_F(LaneDrill, FourConnectionsAskedLongAgo) { QuickBesideSlow(4, Before::kLongAgo); }
TEST_F(LaneDrill, OneConnectionAskedJustNow) { QuickBesideSlow(1, Before::kJustNow); }
TEST_F(LaneDrill, FourConnectionsAskedJustNow) { QuickBesideSlow(4, Before::kJustNow); }

}  // namespace
}  // namespace proxymux::drills
