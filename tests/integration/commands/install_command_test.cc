// `proxymux install` and `uninstall` on a private Postfix: what they say, and the files.
#include "proxy/cli/install_command.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>
#include <string>
#include <utility>

#include "tests/integration/commands/install_world.h"

namespace proxymux::integration {
namespace {

using harness::CommandResult;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

using InstallCommand = InstallWorld;

TEST_F(InstallCommand, ShowsWhatItWouldChangeAndAsks) {
  const std::string main_cf = Text("main.cf"), master_cf = Text("master.cf");
  const CommandResult shown = Run({"install"});
  EXPECT_EQ(shown.status, kNobodySaidYes) << shown.err;
  EXPECT_THAT(shown.out, AllOf(HasSubstr("7 pgsql tables, 0 errors"),
                               HasSubstr("+proxymap_service_name = proxymux"),
                               HasSubstr("\n+proxymux"), HasSubstr("--yes does it")));
  EXPECT_EQ(Text("main.cf"), main_cf);
  EXPECT_EQ(Text("master.cf"), master_cf);
}

TEST_F(InstallCommand, StopsAtAnErrorOfCheck) {
  postfix_.WriteConfig("pgsql-relay.cf", "no equals sign\n");
  const std::string main_cf = Text("main.cf"), master_cf = Text("master.cf");
  const CommandResult result = Run({"install", "--yes"});
  EXPECT_EQ(result.status, kFailed);
  EXPECT_THAT(result.out, HasSubstr("pgsql-relay.cf:1: error: "));
  EXPECT_THAT(result.err, HasSubstr("nothing is changed before"));
  EXPECT_EQ(Text("main.cf"), main_cf);
  EXPECT_EQ(Text("master.cf"), master_cf);
  EXPECT_THAT(Kept(), testing::IsEmpty());
}

TEST_F(InstallCommand, WithoutTheProgramThereIsNothingToSwitchTo) {
  ASSERT_EQ(::unlink((postfix_.daemon_directory() + "/proxymux").c_str()), 0);
  EXPECT_THAT(Run({"install", "--yes"}).err, HasSubstr("/proxymux: master(8) finds no program"));
}

TEST_F(InstallCommand, LastLinesWithoutAnEnd) {
  const auto without_end = [](std::string text) {
    return text.substr(0, text.find_last_not_of('\n') + 1);
  };
  postfix_.WriteConfig("main.cf", Text("main.cf") + "mine_password = hunter2", 0644);
  postfix_.WriteConfig("master.cf", without_end(Text("master.cf")), 0644);
  const std::string main_cf = Text("main.cf");
  EXPECT_THAT(Run({"install", "--in-place", "--offline"}).out,
              AllOf(HasSubstr("+proxymap"), Not(HasSubstr("/main.cf"))));
  const CommandResult result = Run({"install", "--offline", "--yes"});
  EXPECT_EQ(result.status, kDone) << result.err;
  EXPECT_THAT(result.out, Not(HasSubstr("hunter2")));
  EXPECT_THAT(Text("main.cf"),
              HasSubstr("\nmine_password = hunter2\nproxymap_service_name = proxymux\n"));
  postfix_.Start();
  ExpectAnswer();
  EXPECT_FALSE(postfix_.Pids("proxymux").empty()) << postfix_.Log();
}

TEST_F(InstallCommand, OneRunAtATime) {
  const int fd = ::open(postfix_.config_directory().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  ASSERT_EQ(::flock(fd, LOCK_EX), 0);
  const CommandResult result = Run({"install", "--yes"});
  ::close(fd);
  EXPECT_EQ(result.status, kFailed);
  EXPECT_THAT(result.err, HasSubstr("is at work there"));
}

TEST_F(InstallCommand, SaysWhatItIsAsked) {
  Succeed({"install", "--offline", "--yes"});
  proxy::InstallOptions options;
  options.config_directory = postfix_.config_directory();
  for (const auto& [answer, status] :
       {std::pair("", kNobodySaidYes), std::pair("no\n", kNobodySaidYes),
        std::pair("Y\n", kDone)}) {
    std::istringstream in(answer);
    std::ostringstream out, err;
    EXPECT_EQ(proxy::Uninstall(options, &in, out, err), status) << answer << err.str();
    EXPECT_THAT(out.str(), HasSubstr("so? [y/N] "));
  }
  EXPECT_THAT(Text("main.cf"), Not(HasSubstr("proxymap_service_name")));
}

TEST_F(InstallCommand, WhatCannotBeDone) {
  proxy::InstallOptions options;
  std::ostringstream out, err;
  EXPECT_EQ(proxy::Uninstall(options, nullptr, out, err), kFailed);
  options.config_directory = "/nonexistent";
  EXPECT_EQ(proxy::Uninstall(options, nullptr, out, err), kFailed);
  EXPECT_THAT(err.str(), AllOf(HasSubstr("names no directory"), HasSubstr("No such file")));
}

TEST_F(InstallCommand, FilesStayWhatTheyAre) {
  const std::string path = postfix_.config_directory() + "/main.cf";
  postfix_.WriteConfig("main.cf", Text("main.cf") + "mine_password = hunter2\n", 0640);
  struct stat before {};
  ASSERT_EQ(::stat(path.c_str(), &before), 0);
  std::filesystem::rename(path, path + ".real");
  std::filesystem::create_symlink(path + ".real", path);
  const CommandResult result = Run({"install", "--offline", "--yes"});
  EXPECT_EQ(result.status, kDone) << result.err;
  EXPECT_THAT(result.out, Not(HasSubstr("hunter2")));
  EXPECT_TRUE(std::filesystem::is_symlink(path));
  struct stat after {};
  ASSERT_EQ(::stat(path.c_str(), &after), 0);
  EXPECT_EQ(after.st_mode, before.st_mode);
  EXPECT_EQ(after.st_gid, before.st_gid);
  EXPECT_THAT(Text("main.cf"), AllOf(HasSubstr("mine_password = hunter2\n"),
                                     HasSubstr("proxymap_service_name = proxymux\n")));
}

TEST_F(InstallCommand, StockGetsItsProcessLimitBack) {
  std::string master_cf = Text("master.cf");
  const std::string line = "proxymap unix - - n - - proxymap";
  ASSERT_NE(master_cf.find(line), std::string::npos) << master_cf;
  master_cf.replace(master_cf.find(line), line.size(), "proxymap unix - - n - 42 proxymap");
  postfix_.WriteConfig("master.cf", master_cf, 0644);
  Succeed({"install", "--in-place", "--offline", "--yes"});
  Succeed({"uninstall", "--yes"});
  const CommandResult stock = harness::RunCommand(
      {"/usr/sbin/postconf", "-c", postfix_.config_directory(), "-M", "proxymap/unix"});
  EXPECT_THAT(stock.out, AllOf(HasSubstr(" 42 "), Not(HasSubstr("proxymux"))));
}

}  // namespace
}  // namespace proxymux::integration
