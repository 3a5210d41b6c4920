// The stock daemons that answer for tables in domain lists: one that ends is replaced, clients that
// leave and many at once do them no harm, and none stays without a reason.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/integration/domain_list_world.h"

namespace proxymux::integration {
namespace {

using harness::Answer;
using harness::Describe;
using harness::Eventually;
using harness::ProxymapClient;
using harness::seconds;
using protocol::Status;

TEST_F(DomainLists, AStockDaemonThatIsKilledIsReplaced) {
  TcpTable slow;
  Add("a.cf", "inline:{a.example=b}");
  Add("slow.cf", slow.name());
  Make();
  Start();
  for (int i = 0; i < 3; ++i) {
    ExpectFound("a.cf", "u@a.example");
    const std::vector<pid_t> daemons = StockDaemons();
    ASSERT_EQ(daemons.size(), 1u);
    kill(daemons[0], SIGKILL);
  }
  ExpectFound("a.cf", "u@a.example");

  // In the middle of a question, which is then asked again.
  const std::vector<pid_t> before = StockDaemons();
  ASSERT_TRUE(client_->Send(LookupOf(postfix_->Table("slow.cf"), "u@b.example")));
  const auto lost = slow.Next();
  EXPECT_EQ(lost->question(), "get b.example\n");
  for (const pid_t pid : StockDaemons()) {
    if (std::find(before.begin(), before.end(), pid) == before.end()) kill(pid, SIGKILL);
  }
  const auto again = slow.Next();
  again->Answer("200 x");
  const Answer answer = client_->Receive(protocol::RequestKind::kLookup);
  EXPECT_TRUE(answer.IsValue("found u@b.example")) << Describe(answer) << postfix_->Log();
}

TEST_F(DomainLists, AStockDaemonThatAlwaysEndsIsRetryAndNoOtherTableWaits) {
  // A table that stock ends at, whenever it is asked.
  Add("bad.cf", "pgsql:" + File("fatal.cf"));
  Add("a.cf", "inline:{a.example=b}");
  Make();
  postfix_->WriteConfig("fatal.cf", "hosts = localhost\ndbname = x\nquery = SELECT '%Q'\n");
  Start();
  const std::size_t mark = postfix_->LogMark();
  for (int i = 0; i < 3; ++i) {
    ExpectStatus("bad.cf", "u@a.example", Status::kRetry);
    ExpectFound("a.cf", "u@a.example");
  }
  EXPECT_TRUE(postfix_->WaitForLog("the domain list cannot be looked up: pgsql:" +
                                       File("fatal.cf") + ": the stock proxymap ended",
                                   mark))
      << postfix_->Log();
}

TEST_F(DomainLists, ClientsThatLeaveGiveTheirQuestionsUp) {
  TcpTable slow;
  Add("slow.cf", slow.name());
  Make();
  Start();
  const std::string table = postfix_->Table("slow.cf");
  std::vector<std::unique_ptr<ProxymapClient>> leaving;
  for (int i = 0; i < 50; ++i) {
    leaving.push_back(Client());
    ASSERT_TRUE(leaving.back()->Send(LookupOf(table, "u@gone.example")));
  }
  // Two daemons are busy with what nobody wants any more; of the other 48 next to nothing is asked.
  const auto first = slow.Next(), second = slow.Next();
  ASSERT_TRUE(client_->Send(LookupOf(table, "u@stays.example")));
  leaving.clear();
  int unwanted = 1;
  first->Answer("500 no");
  ASSERT_TRUE(first->Again(seconds(20)));
  for (; first->question() == "get gone.example\n"; ++unwanted) {
    first->Answer("500 no");
    ASSERT_TRUE(first->Again(seconds(20)));
  }
  EXPECT_LT(unwanted, 10);
  EXPECT_EQ(first->question(), "get stays.example\n");
  first->Answer("200 x");
  const Answer answer = client_->Receive(protocol::RequestKind::kLookup);
  EXPECT_TRUE(answer.IsValue("found u@stays.example")) << Describe(answer) << postfix_->Log();
  EXPECT_EQ(postfix_->Complaints(), std::vector<std::string>{});
}

TEST_F(DomainLists, ManyClientsAtOnceGetTheirOwnAnswers) {
  Add("a.cf", "!inline:{no.example=b}, static:x");
  Make();
  Start();
  const std::string table = postfix_->Table("a.cf");
  std::vector<std::unique_ptr<ProxymapClient>> clients;
  for (int i = 0; i < 40; ++i) clients.push_back(Client());
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 40; ++i) {
      const std::string domain = i % 4 == 0 ? "no.example" : "yes.example";
      ASSERT_TRUE(clients[i]->Send(LookupOf(table, std::to_string(i) + "@" + domain)));
    }
    for (int i = 0; i < 40; ++i) {
      const Answer answer = clients[i]->Receive(protocol::RequestKind::kLookup);
      const bool right = i % 4 == 0 ? answer.Is(Status::kNoKey)
                                    : answer.IsValue("found " + std::to_string(i) + "@yes.example");
      EXPECT_TRUE(right) << i << ": " << Describe(answer);
    }
  }
  EXPECT_LE(StockDaemons().size(), 6u) << "three for each member";
  EXPECT_EQ(postfix_->Complaints(), std::vector<std::string>{});
}

TEST_F(DomainLists, DaemonsEndWhenNoListNamesTheirTableOrNobodyAsks) {
  Add("a.cf", "inline:{a.example=b}");
  Add("b.cf", "inline:{b.example=b}");
  options_.yaml = "relay:\n  idle: 2s\n";
  Make();
  Start();
  ExpectFound("b.cf", "u@b.example");
  EXPECT_TRUE(Eventually([&] { return StockDaemons().empty(); })) << "idle";
  ExpectFound("b.cf", "u@b.example");
  const std::vector<pid_t> unused = StockDaemons();
  ASSERT_EQ(unused.size(), 1u);
  postfix_->WriteConfig("b.cf", TableFor("b.example"));
  // The other table is asked all the while, so only its own daemon is there in the end.
  EXPECT_TRUE(Eventually([&] {
    ExpectFound("a.cf", "u@a.example");
    const std::vector<pid_t> now = StockDaemons();
    return !now.empty() && std::find(now.begin(), now.end(), unused[0]) == now.end();
  })) << postfix_->Log();
  ExpectFound("b.cf", "u@b.example");
}

TEST_F(DomainLists, AReloadReplacesDaemonsAndLosesNoLookup) {
  TcpTable slow;
  Add("a.cf", "inline:{a.example=b}");
  Add("slow.cf", slow.name());
  Make();
  Start();
  ExpectFound("a.cf", "u@a.example");
  const std::vector<pid_t> before = StockDaemons();
  ASSERT_TRUE(client_->Send(LookupOf(postfix_->Table("slow.cf"), "u@b.example")));
  const auto asked = slow.Next();
  const std::size_t mark = postfix_->LogMark();
  kill(postfix_->Pids("proxymux").at(0), SIGHUP);
  ASSERT_TRUE(postfix_->WaitForLog("SIGHUP: settings and tables were read again", mark));
  asked->Answer("200 x");
  const Answer answer = client_->Receive(protocol::RequestKind::kLookup);
  EXPECT_TRUE(answer.IsValue("found u@b.example")) << Describe(answer);
  ExpectFound("a.cf", "u@a.example");
  EXPECT_TRUE(Eventually([&] {
    const std::vector<pid_t> now = StockDaemons();
    return now.size() == 1 && now != before;
  })) << postfix_->Log();
}

TEST_F(DomainLists, ADrainAnswersWhatWaitsAndLeavesNoDaemon) {
  TcpTable slow;
  Add("slow.cf", slow.name());
  options_.yaml = "drain_timeout: 1s\n";
  Make();
  Start();
  auto other = Client();
  const std::string table = postfix_->Table("slow.cf");
  ASSERT_TRUE(client_->Send(LookupOf(table, "u@b.example")));
  ASSERT_TRUE(other->Send(LookupOf(table, "u@c.example")));
  const auto one = slow.Next(), two = slow.Next();
  const pid_t service = postfix_->Pids("proxymux").at(0);
  const std::vector<pid_t> daemons = StockDaemons();
  ASSERT_EQ(daemons.size(), 2u);
  kill(service, SIGTERM);
  const bool first_is_ours = one->question() == "get b.example\n";
  (first_is_ours ? one : two)->Answer("200 x");
  const Answer answer = client_->Receive(protocol::RequestKind::kLookup);
  EXPECT_TRUE(answer.IsValue("found u@b.example")) << Describe(answer);
  const Answer given_up = other->Receive(protocol::RequestKind::kLookup);
  EXPECT_TRUE(given_up.Is(Status::kRetry)) << Describe(given_up) << postfix_->Log();
  for (const pid_t pid : {service, daemons[0], daemons[1]}) {
    EXPECT_TRUE(Eventually([&] { return kill(pid, 0) != 0; })) << postfix_->Log();
  }
}

}  // namespace
}  // namespace proxymux::integration
