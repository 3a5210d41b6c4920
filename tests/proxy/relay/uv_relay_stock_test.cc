// What the relay gets from the real stock proxymap, also when that is slow, and when its tables or
// its approvals change.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "proxy/relay/stock_listener.h"
#include "proxy/relay/uv_relay.h"
#include "proxy/relay/uv_stock_process.h"
#include "tests/proxy/relay/uv_relay_stock_fixture.h"

namespace proxymux::proxy {
namespace {

using std::chrono::seconds;
using std::string_literals::operator""s;

// Without what ends the last value and the list.
std::string WithoutEnd(const std::string& list) { return list.substr(0, list.size() - 2); }

TEST_F(UvRelayStock, LooksUpInTheTablesThatStockHas) {
  const std::string texthash = "texthash:" + g_root + "/etc/table";
  Start({"unix:passwd.byname", "inline:{a=b, c=d}", texthash});
  const std::string begin = WithoutEnd(Found("root:x:"));
  EXPECT_EQ(Ask("unix:passwd.byname", "root").substr(0, begin.size()), begin);
  EXPECT_EQ(Ask("inline:{a=b, c=d}", "c"), Found("d"));
  EXPECT_EQ(Ask(texthash, "key"), Found("value"));
  EXPECT_EQ(Ask(texthash, "nobody"), NotFound());
  EXPECT_EQ(Ask("inline:{not=approved}", "not"), Denied());
  EXPECT_EQ(relay_->Status().processes, 1) << "one after the other needs one process";
  EXPECT_EQ(StockProcesses().size(), 1u);
  EXPECT_EQ(log_.warnings, 0);
}

// execve(2) takes no argument of more than 128 KiB.
TEST_F(UvRelayStock, ApprovalsMayBeLongerThanAnArgument) {
  std::vector<std::string> approved;
  for (int i = 0; i < 10000; ++i) {
    approved.push_back("inline:{key=" + std::to_string(i) + ", { other = some words }}");
  }
  Start(approved);
  for (std::size_t i = 0; i < approved.size(); i += 333) {
    EXPECT_EQ(Ask(approved[i], "key"), Found(std::to_string(i)));
  }
  EXPECT_EQ(Ask(approved.back(), "other"), Found("some words"));
  EXPECT_EQ(Ask("inline:{key=1}", "key"), Denied());
  EXPECT_EQ(log_.warnings, 0);
}

TEST_F(UvRelayStock, ChildHasTheDescriptorsOfMasterAndNoOthers) {
  const int leak = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
  Start({"inline:{a=b}"});
  EXPECT_EQ(Ask("inline:{a=b}", "a"), Found("b"));
  ASSERT_EQ(StockProcesses().size(), 1u);
  const std::string proc = "/proc/" + std::to_string(StockProcesses()[0]);
  std::vector<std::string> targets(8);
  std::size_t ours = 0;
  for (const auto& entry : std::filesystem::directory_iterator(proc + "/fd")) {
    const std::size_t number = std::stoul(entry.path().filename());
    const std::string target = std::filesystem::read_symlink(entry.path());
    if (number < targets.size()) targets[number] = target;
    EXPECT_NE(target, "/etc/passwd");
    if (target.rfind("socket:", 0) == 0) ++ours;
  }
  for (int i = 0; i < 3; ++i) EXPECT_EQ(targets[i], "/dev/null");
  for (int i = 3; i < 5; ++i) EXPECT_EQ(targets[i].rfind("pipe:", 0), 0u) << targets[i];
  for (int i = 5; i < 7; ++i) EXPECT_EQ(targets[i].rfind("socket:", 0), 0u) << targets[i];
  EXPECT_EQ(ours, 3u) << "status, listening and our connection";
  EXPECT_EQ(std::filesystem::read_symlink(proc + "/cwd"), g_root + "/queue");
  EXPECT_NE(getpgid(StockProcesses()[0]), getpgrp()) << "SIGTERM to our group must not reach it";
  std::ifstream file(proc + "/environ");
  std::stringstream environment;
  environment << file.rdbuf();
  EXPECT_EQ(environment.str(), "MAIL_CONFIG=" + g_root + "/etc\0LANG=C\0GENERATION=7\0"s);
  close(leak);
}

TEST_F(UvRelayStock, SlowTableHoldsUpNobodyElse) {
  SlowTable slow(&loop_);
  RelayOptions options = SpawnOptions();
  options.policy.processes = 4;
  options.launch.approved = {slow.table(), "unix:passwd.byname", "inline:{a=b}"};
  Start(options);
  std::vector<std::unique_ptr<Answer>> waiting;
  for (int i = 0; i < 8; ++i) {
    waiting.push_back(Submit(slow.table(), Lookup(slow.table(), "k" + std::to_string(i))));
  }
  ASSERT_TRUE(RunUntil([&] { return slow.questions() == 2; }));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Ask("inline:{a=b}", "a"), Found("b"));
  EXPECT_EQ(Ask("unix:passwd.byname", "root").substr(0, 8), "status\0000"s);
  for (const auto& answer : waiting) EXPECT_FALSE(answer->reply.has_value());
  EXPECT_LE(StockProcesses().size(), 4u);
  slow.AnswerAll();
  for (const auto& answer : waiting) EXPECT_EQ(Wait(*answer), Found("late"));
}

TEST_F(UvRelayStock, ManyLookupsAtOnceAllGetTheirOwnReply) {
  Start({"unix:passwd.byname", "inline:{a=1, b=2, c=3}"});
  std::vector<std::pair<std::string, std::unique_ptr<Answer>>> all;
  for (int i = 0; i < 300; ++i) {
    const int which = i % 3;
    all.emplace_back(Found(std::to_string(which + 1)),
                     Submit("inline:{a=1, b=2, c=3}",
                            Lookup("inline:{a=1, b=2, c=3}", std::string(1, 'a' + which))));
    if (i % 7 == 0) all.pop_back();  // this client goes away
  }
  for (const auto& [expected, answer] : all) EXPECT_EQ(Wait(*answer), expected);
  EXPECT_EQ(relay_->Status().failures, 0u);
}

TEST_F(UvRelayStock, ReplyToAClientThatWentAwayReachesNobodyElse) {
  SlowTable slow(&loop_);
  RelayOptions options = SpawnOptions();
  options.policy.processes = 1;
  options.launch.approved = {slow.table(), "inline:{a=b}"};
  Start(options);
  auto gone = Submit(slow.table(), Lookup(slow.table(), "k"));
  ASSERT_TRUE(RunUntil([&] { return slow.questions() == 1; }));
  auto next = Submit("inline:{a=b}", Lookup("inline:{a=b}", "a"));
  gone->ticket.reset();
  slow.AnswerAll();
  EXPECT_EQ(Wait(*next), Found("b"));
  EXPECT_FALSE(gone->reply.has_value());
}

TEST_F(UvRelayStock, SequenceKeepsItsPosition) {
  const std::string table = "texthash:" + g_root + "/etc/table";
  Start({table, "inline:{a=b}"});
  const auto lease = relay_->NewLease();
  std::vector<std::string> seen;
  std::string reply = Wait(*Submit(table, Sequence(table, "0"), SequenceStep::kFirst, lease.get()));
  while (reply.rfind("status\0000\0"s, 0) == 0 && seen.size() < 10) {
    seen.push_back(reply);
    EXPECT_EQ(Ask("inline:{a=b}", "a"), Found("b"));
    reply = Wait(*Submit(table, Sequence(table, "1"), SequenceStep::kNext, lease.get()));
  }
  std::sort(seen.begin(), seen.end());
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(std::unique(seen.begin(), seen.end()), seen.end());
  EXPECT_EQ(reply, Reply("1", {{"key", ""}, {"value", ""}}));
}

TEST_F(UvRelayStock, ChangedTableIsNoticedUnderSteadyUse) {
  // Stock compares a table's time only when it accepts a connection, and a busy connection of ours
  // would last.
  const std::string source = g_root + "/tables/changing";
  const auto write_table = [&](const std::string& value) {
    std::ofstream(source) << "key " << value << "\n";
    const std::string command = "/usr/sbin/postmap -c " + g_root + "/etc hash:" + source;
    ASSERT_EQ(std::system(command.c_str()), 0);
  };
  write_table("old");
  const timeval hour_ago[2] = {{time(nullptr) - 3600, 0}, {time(nullptr) - 3600, 0}};
  ASSERT_EQ(utimes((source + ".db").c_str(), hour_ago), 0);
  Start({"hash:" + source});
  // Without TRY0NULL: the first key that is found tells stock how keys end in this file.
  const std::string old_value = Reply("0", {{"value", "old"}}, "16456");
  EXPECT_EQ(Ask("hash:" + source, "key"), old_value);
  write_table("new");
  const auto changed = std::chrono::steady_clock::now();
  std::string answer = old_value;
  while (answer == old_value && std::chrono::steady_clock::now() - changed < seconds(10)) {
    answer = Ask("hash:" + source, "key");
  }
  EXPECT_EQ(answer, Reply("0", {{"value", "new"}}, "16456"));
  // None where stock had nothing of the file in memory.
  EXPECT_LE(relay_->Status().restarts, 1u);
  EXPECT_EQ(relay_->Status().failures, 0u);
}

TEST_F(UvRelayStock, NewApprovalReachesStockAfterReconfigure) {
  Start({"inline:{a=b}"});
  EXPECT_EQ(Ask("inline:{c=d}", "c"), Denied());
  RelayOptions options = SpawnOptions();
  options.launch.approved = {"inline:{c=d}"};
  relay_->Reconfigure(options);
  EXPECT_EQ(Ask("inline:{c=d}", "c"), Found("d"));
}

TEST_F(UvRelayStock, ServiceModeUsesTheSocketOfAStockService) {
  // A stock daemon with a listening socket of its own stands for the service that master runs; we
  // know it by its entry.
  StockListener listener;
  ASSERT_EQ(listener.Open(g_root + "/data"), 0);
  StockLaunch launch = SpawnOptions().launch;
  launch.approved = {"inline:{a=b}"};
  bool ended = false;
  auto stock = std::make_unique<UvStockProcess>(&loop_, [&](const std::string&) { ended = true; });
  std::string error;
  ASSERT_EQ(stock->Start(launch, listener.fd(), &error), 0) << error;

  RelayOptions options;
  options.service_socket = listener.path();
  Start(options);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Ask("inline:{a=b}", "a"), Found("b"));
  EXPECT_EQ(relay_->Status().starts, 1u) << "one connection, used again";
  Stop();
  stock->AskToEnd();
  EXPECT_TRUE(RunUntil([&] { return ended; }));
}

}  // namespace
}  // namespace proxymux::proxy
