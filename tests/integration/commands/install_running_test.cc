// `proxymux install` and `uninstall` while Postfix runs: what clients see, and what is taken back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "tests/harness/load_clients.h"
#include "tests/harness/load_on.h"
#include "tests/integration/commands/install_world.h"

namespace proxymux::integration {
namespace {

using harness::CommandResult;
using testing::AllOf;
using testing::HasSubstr;

using InstallRunning = InstallWorld;

TEST_F(InstallRunning, WhatDoesNotStartIsTakenBack) {
  const std::string program = postfix_.daemon_directory() + "/proxymux";
  std::filesystem::remove(program);
  harness::WriteFile(program,
                     "#!/bin/sh\n[ \"$1\" = --version ] && exec " + harness::ProxymuxBinary() +
                         " --version\nexit 1\n",
                     0755);
  // After a bad start stock's line is not tried again for so long.
  postfix_.WriteConfig("main.cf", Text("main.cf") + "service_throttle_time = 2s\n", 0644);
  postfix_.Start();
  for (const Words& way : {Words{"install", "--yes"}, Words{"install", "--in-place", "--yes"}}) {
    const std::string main_cf = Text("main.cf"), master_cf = Text("master.cf");
    const CommandResult result = Run(way);
    EXPECT_EQ(result.status, kFailed);
    EXPECT_THAT(result.err, AllOf(HasSubstr("does not answer: see the mail log"),
                                  HasSubstr("are as they were, and Postfix was told")));
    EXPECT_EQ(Text("main.cf"), main_cf);
    EXPECT_EQ(Text("master.cf"), master_cf);
    ExpectAnswer();
  }
}

TEST_F(InstallRunning, ASecondRunDoesWhatTheFirstDidNot) {
  postfix_.Start();
  ExpectAnswer();
  std::string master_cf = Text("master.cf");
  const std::string line = "proxymap unix - - n - - proxymap";
  ASSERT_NE(master_cf.find(line), std::string::npos) << master_cf;
  master_cf.replace(master_cf.find(line), line.size(),
                    "proxymap unix - - n - 1 proxymux -o proxymap_service_name=proxymap");
  postfix_.WriteConfig("master.cf", master_cf, 0644);
  const CommandResult asked = Run({"install", "--in-place"});
  EXPECT_EQ(asked.status, kNobodySaidYes);
  EXPECT_THAT(asked.out, HasSubstr("the files are so, and what runs is not yet"));
  EXPECT_TRUE(postfix_.Pids("proxymux").empty());
  Succeed({"install", "--in-place", "--yes"});
  EXPECT_FALSE(postfix_.Pids("proxymux").empty());
  EXPECT_THAT(Run({"install", "--in-place", "--yes"}).out, HasSubstr("nothing is to be done"));
}

TEST_F(InstallRunning, ASecondRunSendsLookupsToTheLineOfTheFirst) {
  postfix_.Start();
  postfix_.WriteConfig("master.cf", Text("master.cf") + "proxymux unix - - n - 1 proxymux\n", 0644);
  Succeed({"install", "--yes"});
  ExpectAnswer();
  EXPECT_FALSE(postfix_.Pids("proxymux").empty());
}

TEST_F(InstallRunning, BesideThereAndBack) {
  const std::string main_cf = Text("main.cf"), master_cf = Text("master.cf");
  postfix_.Start();
  ExpectAnswer();
  Succeed({"install", "--yes"});
  EXPECT_TRUE(postfix_.WaitForLog("reload"));
  ExpectAnswer();
  EXPECT_FALSE(postfix_.Pids("proxymux").empty()) << postfix_.Log();
  EXPECT_THAT(Run({"install", "--yes"}).out, HasSubstr("nothing is to be done"));
  const CommandResult back = Run({"uninstall", "--yes"});
  EXPECT_EQ(back.status, kDone) << back.err;
  EXPECT_THAT(back.out, HasSubstr("the service proxymux stays"));
  ExpectAnswer();
  EXPECT_THAT(Run({"uninstall", "--yes"}).out, HasSubstr("nothing is to be done"));
  EXPECT_EQ(Text("main.cf"), main_cf);
  EXPECT_THAT(Text("master.cf"), testing::StartsWith(master_cf));
}

TEST_F(InstallRunning, InPlaceUnderLoadLosesNothing) {
  postfix_.Start();
  harness::LoadClients load(harness::LoadOn(postfix_, 20));
  ASSERT_TRUE(load.WaitForAnswers(2000));
  Succeed({"install", "--in-place", "--yes"});
  ASSERT_TRUE(load.WaitForThoseOnTheWay());
  ASSERT_TRUE(harness::Eventually([&] { return !postfix_.Pids("proxymux").empty(); }));
  ASSERT_TRUE(load.WaitForAnswers(2000));
  harness::RunOrThrow(
      {"/usr/sbin/postfix", "-c", postfix_.config_directory(), "upgrade-configuration"});
  EXPECT_THAT(Run({"install", "--in-place", "--yes"}).out, HasSubstr("nothing is to be done"))
      << "an upgrade of Postfix leaves it as it is: " << Text("master.cf");
  Succeed({"uninstall", "--yes"});
  ASSERT_TRUE(harness::Eventually([&] { return postfix_.Pids("proxymux").empty(); }));
  ASSERT_TRUE(load.WaitForAnswers(2000));
  const harness::LoadReport report = load.Finish();
  EXPECT_EQ(report.Failed(), 0U) << report.Text() << postfix_.Log();
}

TEST_F(InstallRunning, BesideUnderLoadLosesNothing) {
  postfix_.Start();
  std::atomic<bool> more = true;
  std::atomic<int> asked = 0;
  std::vector<std::string> failed;
  std::thread load([&] {
    while (more) {
      const CommandResult result =
          postfix_.Postmap(harness::AliasOf(4), postfix_.Table("pgsql-aliases.cf"));
      ++asked;
      if (result.out != harness::AddressOf(4) + "\n") {
        failed.push_back(std::to_string(result.status) + ": " + result.out + result.err);
      }
    }
  });
  const auto wait = [&] {
    const int before = asked;
    EXPECT_TRUE(harness::Eventually([&] { return asked > before + 5; }));
  };
  wait();
  Succeed({"install", "--yes"});
  wait();
  EXPECT_FALSE(postfix_.Pids("proxymux").empty()) << postfix_.Log();
  Succeed({"uninstall", "--yes"});
  wait();
  more = false;
  load.join();
  EXPECT_THAT(failed, testing::IsEmpty()) << "of " << asked;
}

}  // namespace
}  // namespace proxymux::integration
