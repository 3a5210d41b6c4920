// Lookups that take long at a real server: their line in the log, and `proxymux ctl slow`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/harness/admin_client.h"
#include "tests/harness/process.h"
#include "tests/integration/one_server.h"

namespace proxymux::integration {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

constexpr char kSlow[] = "slow.cf";
constexpr char kQuick[] = "quick.cf";

class SlowLookup : public OneServerTest {
 protected:
  void Start(const std::string& log) {
    Add(kSlow, "SELECT 'found' FROM pg_sleep(0.3) WHERE '%s' <> ''");
    Add(kQuick, "SELECT 'found' WHERE '%s' <> ''");
    StartService("log: {" + log + "}\n");
  }
  nlohmann::json Told() {
    const auto answer = harness::HttpGet(postfix_->AdminSocket(), "/status.json");
    return nlohmann::json::parse(answer.body)["slow"];
  }
  std::string CtlSlow() {
    const auto result = harness::RunCommand(
        {harness::ProxymuxBinary(), "ctl", "slow", "-c", postfix_->config_directory()});
    EXPECT_EQ(result.status, 0) << result.err;
    return result.out;
  }
};

TEST_F(SlowLookup, IsToldWithoutItsKey) {
  Start("slow: 300ms");
  EXPECT_TRUE(Look(kSlow, "somebody@example.com").IsValue("found"));
  ASSERT_TRUE(postfix_->WaitForLog("slow.cf: a lookup took "));
  EXPECT_THAT(postfix_->Log(), AllOf(ContainsRegex("a lookup took [0-9]+ ms: [0-9]+ ms until it "
                                                   "was sent to host [^ ]+, [0-9]+ ms there"),
                                     Not(HasSubstr("somebody@example.com"))));
  const nlohmann::json told = Told();
  const nlohmann::json lookup = told.at(told.size() - 1);
  EXPECT_EQ(lookup["table"], postfix_->Table(kSlow));
  EXPECT_EQ(lookup["host"], world_.first().TcpHost());
  EXPECT_GE(lookup["took_ms"], 300);
  EXPECT_GE(lookup["took_ms"].get<int>() - lookup["waited_ms"].get<int>(), 299);
  EXPECT_GE(lookup["age_ms"], 0);
  EXPECT_TRUE(lookup["usual_us"].is_null());
  EXPECT_THAT(CtlSlow(), AllOf(testing::StartsWith("TABLE"), HasSubstr(kSlow),
                               HasSubstr(world_.first().TcpHost())));
  EXPECT_EQ(
      harness::MetricOf(postfix_->AdminSocket(), "proxymux_table_slow_lookups_total{table=\"" +
                                                     postfix_->Table(kSlow) + "\"}"),
      1);
}

TEST_F(SlowLookup, IsToldWithItsKeyWhereThatIsAskedFor) {
  Start("slow: 300ms, keys: true");
  EXPECT_TRUE(Look(kSlow, "some\"body@example.com").IsValue("found"));
  EXPECT_TRUE(postfix_->WaitForLog("; key \"some\\\"body@example.com\"")) << postfix_->Log();
}

TEST_F(SlowLookup, NothingIsToldWhereNoneIsSlow) {
  Start("slow: 0s");
  EXPECT_TRUE(Look(kSlow, "somebody@example.com").IsValue("found"));
  EXPECT_TRUE(Look(kQuick, "somebody@example.com").IsValue("found"));
  EXPECT_TRUE(Told().empty()) << Told();
  EXPECT_EQ(CtlSlow(), "no lookup has been slow (log.slow)\n");
}

}  // namespace
}  // namespace proxymux::integration
