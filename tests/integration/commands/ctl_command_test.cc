// `proxymux ctl` tells a service under master(8) what to do, while clients ask.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/harness/admin_client.h"
#include "tests/harness/load_clients.h"
#include "tests/harness/load_on.h"
#include "tests/harness/proxymap_client.h"
#include "tests/harness/socket.h"
#include "tests/integration/mail_world.h"
#include "tests/integration/table_status.h"

namespace proxymux::integration {
namespace {

using harness::CommandResult;
using harness::Eventually;
using harness::kMailRole;
using harness::LoadClients;
using testing::AllOf;
using testing::HasSubstr;

constexpr char kAliases[] = "pgsql-aliases.cf";

class CtlCommand : public testing::Test {
 protected:
  CtlCommand() { world_.Mend(); }

  void Start(const std::string& yaml = "") {
    auto options = world_.Options(harness::Service::kInPlace);
    options.yaml = yaml;
    postfix_ = std::make_unique<harness::PostfixInstance>(world_.NewDirectory(), options);
    postfix_->Start();
    ExpectAnswer();  // master starts the service for its first client
    ASSERT_TRUE(Eventually(
        [&] { return harness::HttpGet(postfix_->AdminSocket(), "/healthz").status == 200; }));
  }

  CommandResult Ctl(std::vector<std::string> words) {
    words.insert(words.begin(), {harness::ProxymuxBinary(), "ctl"});
    words.insert(words.end(), {"-c", postfix_->config_directory()});
    return harness::RunCommand(words);
  }
  CommandResult Done(const std::vector<std::string>& words) {
    CommandResult result = Ctl(words);
    EXPECT_EQ(result.status, 0) << result.out << result.err;
    EXPECT_EQ(result.err, "");
    return result;
  }
  CommandResult Refused(const std::vector<std::string>& words) {
    CommandResult result = Ctl(words);
    EXPECT_EQ(result.status, 1) << result.out << result.err;
    EXPECT_THAT(result.err, testing::StartsWith("proxymux: "));
    return result;
  }

  harness::Answer Look(const std::string& key) {
    harness::ProxymapClient client(postfix_->SocketPath());
    return client.Lookup(postfix_->Table(kAliases), key);
  }
  void ExpectAnswer() {
    const harness::Answer answer = Look(harness::AliasOf(4));
    EXPECT_TRUE(answer.IsValue(harness::AddressOf(4)))
        << harness::Describe(answer) << postfix_->Log();
  }
  nlohmann::json Document() const {
    const auto answer = harness::HttpGet(postfix_->AdminSocket(), "/status.json");
    return nlohmann::json::parse(answer.body, nullptr, /*allow_exceptions=*/false);
  }
  // What the service says of a host; "" while nobody answers.
  std::string StateOf(const std::string& host) const {
    const nlohmann::json document = Document();
    if (!document.is_object()) return "";
    for (const auto& pool : document["pools"]) {
      for (const auto& each : pool["hosts"]) {
        if (each["name"] == host) return each["state"];
      }
    }
    return "";
  }
  std::vector<pid_t> Backends() {
    std::vector<pid_t> pids = world_.first().BackendPids(kMailRole);
    const std::vector<pid_t> more = world_.second().BackendPids(kMailRole);
    pids.insert(pids.end(), more.begin(), more.end());
    return pids;
  }
  std::string First() { return world_.first().TcpHost(); }
  std::string Second() { return world_.second().TcpHost(); }

  MailWorld& world_ = MailWorld::Instance();
  std::unique_ptr<harness::PostfixInstance> postfix_;
};

// The day on which the server gets a new kernel.
TEST_F(CtlCommand, AHostIsTakenOutOfUseMaintainedAndPutBackAndNoLookupIsLost) {
  Start();
  LoadClients load(harness::LoadOn(*postfix_));
  ASSERT_TRUE(load.WaitForAnswers(1000));
  ASSERT_GT(world_.first().ConnectionCount(kMailRole), 0);
  EXPECT_THAT(Done({"disable", First()}).out, HasSubstr(First() + " is disabled"));
  EXPECT_TRUE(Eventually([&] { return world_.first().ConnectionCount(kMailRole) == 0; }));
  EXPECT_THAT(Done({"status"}).out, HasSubstr("disabled"));
  EXPECT_THAT(harness::HttpGet(postfix_->AdminSocket(), "/healthz").body,
              HasSubstr("host " + First() + ": the administrator has disabled it"));
  world_.first().Stop();
  ASSERT_TRUE(load.WaitForAnswers(1000));

  const auto before = postfix_->Pids("proxymux");
  postfix_->Reload();  // another process knows it, too
  ASSERT_TRUE(Eventually([&] {
    const auto now = postfix_->Pids("proxymux");
    return now.size() == 1 && now != before;
  }));
  EXPECT_TRUE(Eventually([&] { return StateOf(First()) == "disabled"; }));
  ASSERT_TRUE(load.WaitForAnswers(1000));

  world_.first().Start();
  EXPECT_EQ(Done({"enable", First()}).out, First() + " is enabled\n");
  EXPECT_TRUE(Eventually([&] { return world_.first().ConnectionCount(kMailRole) > 0; }));
  ASSERT_TRUE(load.WaitForAnswers(1000));
  const auto report = load.Finish();
  EXPECT_EQ(report.Failed(), 0U) << report.Text() << postfix_->Log();
  EXPECT_EQ(Document()["health"], "ok");
}

TEST_F(CtlCommand, TheLastHostIsDisabledByForceOnly) {
  Start();
  Done({"disable", First()});
  EXPECT_EQ(Done({"disable", First()}).out, First() + " is disabled already\n");
  EXPECT_THAT(Refused({"disable", Second()}).err,
              AllOf(HasSubstr("has no other host that may be usable"), HasSubstr("--force")));
  ExpectAnswer();
  Done({"disable", Second(), "--force"});
  EXPECT_TRUE(Look(harness::AliasOf(5)).Is(protocol::Status::kRetry));
  Done({"enable", Second()});
  ExpectAnswer();
  EXPECT_EQ(Done({"enable", Second()}).out, Second() + " is not disabled\n");
  Done({"enable", First()});
}

TEST_F(CtlCommand, AHostThatThereIsNotIsSaidWithThoseThatThereAre) {
  Start();
  for (const char* command : {"disable", "enable", "reconnect"}) {
    EXPECT_THAT(Refused({command, "db9:5432"}).err,
                AllOf(HasSubstr("no pool has a host db9:5432"), HasSubstr(First())));
  }
}

TEST_F(CtlCommand, EveryConnectionIsReplacedAndNoLookupIsLost) {
  Start();
  LoadClients load(harness::LoadOn(*postfix_));
  ASSERT_TRUE(load.WaitForAnswers(1000));
  const std::vector<pid_t> before = Backends();
  ASSERT_EQ(before.size(), static_cast<std::size_t>(kConnectionLimit));
  EXPECT_THAT(Done({"reconnect"}).out, HasSubstr("4 connections are replaced"));
  EXPECT_TRUE(Eventually([&] {
    const std::vector<pid_t> now = Backends();
    return std::ranges::none_of(
        now, [&](pid_t pid) { return std::ranges::find(before, pid) != before.end(); });
  }));
  ASSERT_TRUE(load.WaitForAnswers(1000));
  const auto report = load.Finish();
  EXPECT_EQ(report.Failed(), 0U) << report.Text();
  EXPECT_EQ(harness::MetricOf(postfix_->AdminSocket(), "proxymux_replies_total{status=\"retry\"}"),
            0);
}

TEST_F(CtlCommand, AReloadSaysWhatItChangedAndWhatIsWrong) {
  Start("pool: {connections: 4}\n");
  EXPECT_THAT(Done({"reload"}).out, HasSubstr("were read again: nothing has changed"));
  postfix_->WriteConfig("proxymux.yaml", "pool: {connections: 2}\n", 0644);
  EXPECT_THAT(Done({"reload"}).out,
              HasSubstr("proxymux.yaml: pool.connections is 2 now, it was 4\n"));
  postfix_->WriteConfig("proxymux.yaml", "pool: {conections: 3}\n", 0644);
  EXPECT_THAT(Refused({"reload"}).err,
              AllOf(HasSubstr("proxymux.yaml:1:8: error: "),
                    HasSubstr("proxymux.yaml has errors; the settings stay as they were")));
  postfix_->WriteConfig("proxymux.yaml", "pool: {connections: 2}\n", 0644);
  postfix_->WriteConfig("pgsql-relay.cf", "hosts = x\nno equals sign\n");
  EXPECT_THAT(Refused({"reload"}).err, HasSubstr("pgsql-relay.cf: error: there is no query"));
  ExpectAnswer();
}

TEST_F(CtlCommand, AnAnswerThatIsForgottenIsAskedForAgain) {
  Start("table: {cache: {ttl: 1h, negative_ttl: 1h}}\n");
  ASSERT_TRUE(Eventually([&] {
    ExpectAnswer();
    return TablesKnownToRead(postfix_->AdminSocket()) > 0;
  }));
  const std::string key = "new@example.org";
  const auto insert = [&](const std::string& box) {
    for (auto* server : {&world_.first(), &world_.second()}) {
      server->Sql(
          harness::kMailDatabase,
          "DELETE FROM alias WHERE address = '" + key + "'" +
              (box.empty() ? "" : "; INSERT INTO alias VALUES ('" + key + "', '" + box + "')"));
    }
  };
  insert("");
  EXPECT_TRUE(Look(key).Is(protocol::Status::kNoKey));
  insert("one@example.org");
  EXPECT_TRUE(Look(key).Is(protocol::Status::kNoKey)) << "it is kept for an hour";
  EXPECT_EQ(Done({"forget", postfix_->Table(kAliases), "New@Example.ORG"}).out,
            "1 answers of 1 tables are forgotten\n");
  EXPECT_TRUE(Look(key).IsValue("one@example.org"));
  insert("two@example.org");
  EXPECT_TRUE(Look(key).IsValue("one@example.org"));
  Done({"forget"});
  EXPECT_TRUE(Look(key).IsValue("two@example.org"));
  insert("");
  EXPECT_THAT(Refused({"forget", "/etc/postfix/other.cf"}).err,
              HasSubstr("there is no approved pgsql table /etc/postfix/other.cf"));
}

TEST_F(CtlCommand, AnswersThatAreNotKeptCannotBeForgotten) {
  Start();
  EXPECT_THAT(Refused({"forget", postfix_->Table(kAliases)}).err, HasSubstr("keeps no answers"));
}

TEST_F(CtlCommand, TheLogLevelLastsUntilTheNextReload) {
  Start();
  EXPECT_EQ(Done({"log-level"}).out, "log level info\n");
  Done({"log-level", "debug"});
  EXPECT_EQ(Done({"log-level"}).out, "log level debug\n");
  Done({"reload"});
  EXPECT_EQ(Done({"log-level"}).out, "log level info\n");
  EXPECT_THAT(Refused({"log-level", "loud"}).err, HasSubstr("debug, info, or warning"));
}

TEST_F(CtlCommand, ADrainEndsTheServiceAndMasterStartsAnother) {
  Start();
  LoadClients load(harness::LoadOn(*postfix_, 10));
  ASSERT_TRUE(load.WaitForAnswers(100));
  const auto before = postfix_->Pids("proxymux");
  EXPECT_THAT(Done({"drain"}).out, HasSubstr("draining: "));
  EXPECT_TRUE(Eventually([&] {
    const auto now = postfix_->Pids("proxymux");
    return now.size() == 1 && now != before;
  }));
  ASSERT_TRUE(load.WaitForAnswers(100));
  const auto report = load.Finish();
  EXPECT_EQ(report.Failed(), 0U) << report.Text() << postfix_->Log();
}

TEST_F(CtlCommand, OverTcpNothingCanBeCommanded) {
  const std::string address = "127.0.0.1:" + std::to_string(harness::FreePort());
  auto options = world_.Options(harness::Service::kInPlace);
  options.yaml = "admin: {listen: '" + address + "'}\n";
  postfix_ = std::make_unique<harness::PostfixInstance>(world_.NewDirectory(), options);
  postfix_->Start();
  ExpectAnswer();
  EXPECT_THAT(Refused({"drain"}).err, HasSubstr("commands are taken over a UNIX socket only"));
}

}  // namespace
}  // namespace proxymux::integration
