// Under master(8): reload, stop, crash, process limits; always with clients at work that count what
// they miss.
#include <gtest/gtest.h>
#include <signal.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/harness/load_clients.h"
#include "tests/harness/load_on.h"
#include "tests/harness/proxymap_client.h"
#include "tests/integration/mail_world.h"

namespace proxymux::integration {
namespace {

using harness::Eventually;
using harness::LoadClients;
using harness::LoadOptions;
using harness::LoadReport;
using harness::PostfixInstance;
using harness::ProxymapClient;
using harness::seconds;
using harness::Service;

std::string Words(const std::vector<harness::ProcessInfo>& processes) {
  std::string text;
  for (const auto& process : processes) text += process.command + " ";
  return text;
}

class LifeCycle : public testing::Test {
 protected:
  LifeCycle() : options_(world_.Options(Service::kInPlace)) {}

  void Start() {
    postfix_ = std::make_unique<PostfixInstance>(directory_, options_);
    postfix_->Start();
  }

  LoadOptions Load() { return harness::LoadOn(*postfix_); }

  // The one proxymux process; 0 when there is none or more than one.
  pid_t Pid() {
    const auto pids = postfix_->Pids("proxymux");
    return pids.size() == 1 ? pids.front() : 0;
  }

  void ExpectNoProcessIsLeft() {
    EXPECT_TRUE(Eventually([&] { return harness::ProcessesIn(directory_).empty(); }))
        << Words(harness::ProcessesIn(directory_));
  }

  MailWorld& world_ = MailWorld::Instance();
  const std::string directory_ = world_.NewDirectory();
  PostfixInstance::Options options_;
  std::unique_ptr<PostfixInstance> postfix_;
};

TEST_F(LifeCycle, ReloadLosesNoRequestAndTheNewProcessServesWithinASecond) {
  Start();
  LoadClients load(Load());
  ASSERT_TRUE(load.WaitForAnswers(1000));
  for (int i = 0; i < 5; ++i) {
    const pid_t before = Pid();
    postfix_->Reload();
    ASSERT_TRUE(Eventually([&] { return Pid() != 0 && Pid() != before; })) << postfix_->Log();
    ASSERT_TRUE(load.WaitForAnswers(1000)) << postfix_->Log();
  }
  const LoadReport report = load.Finish();
  EXPECT_EQ(report.Failed(), 0u) << report.Text();
  EXPECT_LT(report.longest_silence_ms, 1000) << report.Text();
  EXPECT_GT(report.connects, 50u);
  EXPECT_EQ(postfix_->Complaints(), std::vector<std::string>{});
}

TEST_F(LifeCycle, ReloadWithoutAnyLoadEndsTheOldProcessAtOnce) {
  Start();
  ProxymapClient idle(postfix_->SocketPath());
  ASSERT_EQ(idle.Open(postfix_->Table("pgsql-aliases.cf")).kind, harness::Answer::Kind::kReply);
  const pid_t before = Pid();
  postfix_->Reload();
  EXPECT_TRUE(idle.Closed(seconds(1)));
  EXPECT_TRUE(Eventually([&] { return Pid() != before; }, seconds(1)));
}

TEST_F(LifeCycle, StopAnswersEveryRequestThatWasReadAndLeavesNoProcess) {
  Start();
  LoadClients load(Load());
  ASSERT_TRUE(load.WaitForAnswers(1000));
  postfix_->Stop();
  EXPECT_TRUE(Eventually([&] { return load.connected() == 0; }));
  const LoadReport report = load.Finish();
  EXPECT_EQ(report.Failed(), 0u) << report.Text();
  ExpectNoProcessIsLeft();
  EXPECT_EQ(postfix_->Complaints(), std::vector<std::string>{});
}

TEST_F(LifeCycle, StopEndsTheStockProcessesOfOtherMapTypesToo) {
  Start();
  ASSERT_EQ(postfix_->Postmap("root", "unix:passwd.byname").status, 0);
  ASSERT_FALSE(postfix_->Pids("proxymap").empty());
  postfix_->Stop();
  ExpectNoProcessIsLeft();
}

TEST_F(LifeCycle, KillLaterInLifeCostsOneTryAndNoThrottle) {
  Start();
  LoadClients load(Load());
  ASSERT_TRUE(load.WaitForAnswers(1000));
  for (int i = 0; i < 2; ++i) {
    const pid_t before = Pid();
    ASSERT_NE(before, 0);
    const auto failed = load.failed();
    ::kill(before, SIGKILL);
    EXPECT_TRUE(Eventually([&] { return Pid() != 0 && Pid() != before; }, seconds(5)))
        << postfix_->Log();
    EXPECT_TRUE(load.WaitForAnswers(1000, seconds(5))) << postfix_->Log();
    EXPECT_LE(load.failed() - failed, 50u);
  }
  const LoadReport report = load.Finish();
  EXPECT_EQ(report.Failed(), report.lost) << report.Text();
  EXPECT_LT(report.longest_silence_ms, 3000) << report.Text();
  EXPECT_EQ(postfix_->LogLinesWith({"throttling"}), std::vector<std::string>{});
}

TEST_F(LifeCycle, KilledMasterLeavesNoProcess) {
  Start();
  LoadClients load(Load());
  ASSERT_TRUE(load.WaitForAnswers(1000));
  ASSERT_EQ(postfix_->Postmap("root", "unix:passwd.byname").status, 0);
  ::kill(postfix_->MasterPid(), SIGKILL);
  EXPECT_TRUE(Eventually([&] { return postfix_->Pids("proxymux").empty(); }));
  EXPECT_TRUE(Eventually([&] { return postfix_->Pids("proxymap").empty(); }));
  const LoadReport report = load.Finish();
  EXPECT_EQ(report.Failed(), 0u) << report.Text();
}

TEST_F(LifeCycle, AnyProcessLimitIsServedByOneProcessThatSaysSo) {
  for (const char* limit : {"-", "0", "7"}) {
    options_.process_limit = limit;
    PostfixInstance postfix(world_.NewDirectory(), options_);
    postfix.Start();
    LoadClients load(harness::LoadOn(postfix));
    EXPECT_TRUE(load.WaitForAnswers(5000));
    EXPECT_EQ(postfix.Pids("proxymux").size(), 1u) << "limit " << limit;
    const LoadReport report = load.Finish();
    EXPECT_EQ(report.Failed(), 0u) << report.Text();
    EXPECT_TRUE(postfix.WaitForLog("limit")) << "limit " << limit << postfix.Log();
  }
}

TEST_F(LifeCycle, LineGivenBackToStockEndsUsAtTheReload) {
  Start();
  LoadClients load(Load());
  ASSERT_TRUE(load.WaitForAnswers(1000));
  auto stock = options_;
  stock.service = Service::kStock;
  postfix_->WriteMasterCf(stock);
  postfix_->Reload();
  EXPECT_TRUE(Eventually([&] { return postfix_->Pids("proxymux").empty(); }, seconds(3)));
  EXPECT_TRUE(load.WaitForAnswers(1000)) << postfix_->Log();
  EXPECT_FALSE(postfix_->Pids("proxymap").empty());
}

TEST_F(LifeCycle, LineTakenOutEndsUsAtTheReload) {
  options_.service = Service::kBeside;
  Start();
  {
    ProxymapClient client(postfix_->SocketPath("proxymux"));
    ASSERT_TRUE(client.Lookup(postfix_->Table("pgsql-aliases.cf"), harness::AliasOf(1))
                    .IsValue(harness::AddressOf(1)));
  }
  auto stock = options_;
  stock.service = Service::kStock;
  postfix_->WriteMainCf(stock);
  postfix_->WriteMasterCf(stock);
  postfix_->Reload();
  EXPECT_TRUE(Eventually([&] { return postfix_->Pids("proxymux").empty(); }, seconds(3)));
  const auto result = postfix_->Postmap(harness::AliasOf(1), postfix_->Table("pgsql-aliases.cf"));
  EXPECT_EQ(result.out, harness::AddressOf(1) + "\n") << result.err;
}

TEST_F(LifeCycle, ArgumentsOfTheLineAreUnderstood) {
  options_.arguments = "-v -o proxy_read_maps=proxy:unix:passwd.byname";
  Start();
  ProxymapClient client(postfix_->SocketPath());
  EXPECT_TRUE(client.Lookup("unix:passwd.byname", "root").Is(protocol::Status::kOk));
  EXPECT_TRUE(client.Lookup(postfix_->Table("pgsql-aliases.cf"), "k").Is(protocol::Status::kDeny));
}

TEST_F(LifeCycle, ProcessRunsAsTheMailOwner) {
  Start();
  ASSERT_EQ(postfix_->Postmap("x", postfix_->Table("pgsql-aliases.cf")).status, 1);
  const std::string status = harness::ReadFile("/proc/" + std::to_string(Pid()) + "/status");
  const std::string uid = harness::RunOrThrow({"/usr/bin/id", "-u", "postfix"});
  const std::string id = uid.substr(0, uid.size() - 1);
  EXPECT_NE(status.find("Uid:\t" + id + "\t" + id + "\t" + id + "\t" + id), std::string::npos)
      << status;
}

}  // namespace
}  // namespace proxymux::integration
