// Domain lists that name other tables, between real clients, stock daemons and servers: the answers
// are Postfix's own, and what goes wrong in such a table costs a RETRY and no more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/integration/domain_list_world.h"

namespace proxymux::integration {
namespace {

using harness::Answer;
using harness::CommandResult;
using harness::Describe;
using harness::Eventually;
using harness::milliseconds;
using harness::PostfixInstance;
using harness::ProxymapClient;
using harness::seconds;
using harness::Service;
using protocol::Status;
using ::testing::HasSubstr;

class DomainListAnswers : public DomainLists, public testing::WithParamInterface<Service> {
 protected:
  CommandResult AskStock(const std::string& key, const std::string& table,
                         const std::string& input = "") {
    harness::CommandOptions options;
    options.input = input;
    return harness::RunCommand(
        {"/usr/sbin/postmap", "-c", postfix_->config_directory(), "-q", key, table}, options);
  }
};

// Every list and key is asked twice: of `postmap -q KEY pgsql:...`, which opens the table and its
// members itself, and of the service. Values are not compared: with a pgsql member stock puts that
// one's result before its own. (A member that cannot be opened ends postmap whatever the key: that
// is another test.)
TEST_P(DomainListAnswers, AreThoseOfPostfixItself) {
  options_.service = GetParam();
  const std::string hash = "hash:" + File("listed"), regexp = "regexp:" + File("patterns");
  const std::vector<std::string> lists = {
      hash,
      "inline:{a.example=b, c.example=d}, other.example",
      "inline:{{a.example = b}, {c.example = d e}}",
      "inline:{M\xC3\xBCnchen.example=x, m\xC3\xBCnster.example=x}",
      "inline:{A.example=x}",
      regexp,
      "static:x",
      "static:{a b}",
      "!" + regexp + ", static:x",
      "!a.example, !" + hash + " static:x",
      "!!" + hash,
      "!" + hash,
      "other.example, " + hash + ", " + regexp + ", inline:{c.example=}",
      File("members") + ", c.example",
      "!" + File("members") + ", static:x",
      "unionmap:{static:x,inline:{a=b}}",
      "pipemap:{inline:{a.example=b},inline:{b=c}}",
      "cidr:" + File("networks"),
      "pgsql:" + File("domains-in-sql"),
      "!pgsql:" + File("domains-in-sql") + ", static:x",
      "a.example, fail:x, static:x",
      "!fail:x, a.example",
  };
  const std::vector<std::string> keys = {"u@a.example",
                                         "U@A.Example",
                                         "u@listed.example",
                                         "u@sub.listed.example",
                                         "u@LISTED.example",
                                         "u@c.example",
                                         "u@other.example",
                                         "u@re.example",
                                         "u@xre.example",
                                         "u@other",
                                         "u@M\xC3\x9CNCHEN.example",
                                         "u@M\xC3\x9CNSTER.example",
                                         "u@192.0.2.7",
                                         "u@store.example.net",
                                         "u@x@a.example",
                                         "a.example",
                                         "@a.example",
                                         "u v@a.example"};
  for (std::size_t i = 0; i < lists.size(); ++i) Add(std::to_string(i) + ".cf", lists[i]);
  Make();
  WriteHash("listed", "listed.example yes\nother.example yes\n");
  postfix_->WriteConfig("patterns", "/^re/ x\n/^192/ y\n");
  postfix_->WriteConfig("networks", "192.0.2.0/24 x\n");
  postfix_->WriteConfig("members",
                        "# comment\na.example\n  !" + hash + "\n" + regexp + ", other\n");
  postfix_->WriteConfig(
      "domains-in-sql",
      harness::TableText(world_.Hosts(), "SELECT domain FROM mailbox_domain WHERE domain = '%s'"));
  Start();

  std::string all_keys;
  for (const std::string& key : keys) all_keys += key + "\n";
  int found = 0, not_found = 0, failed = 0;
  for (std::size_t i = 0; i < lists.size(); ++i) {
    const std::string table = postfix_->Table(std::to_string(i) + ".cf");
    const CommandResult batch = AskStock("-", table, all_keys);
    for (const std::string& key : keys) {
      // A batch ends at the first key that fails: then one by one, each of which takes a second.
      if (!batch.err.empty() && &key - keys.data() == 4) break;
      const CommandResult one = batch.err.empty() ? CommandResult() : AskStock(key, table);
      const bool stock_found = batch.err.empty()
                                   ? batch.out.starts_with(key + "\t") ||
                                         batch.out.find("\n" + key + "\t") != std::string::npos
                                   : one.status == 0;
      const Answer ours = client_->Lookup(table, key, 64 + 16384 + 524288 + 16);
      const std::string what = lists[i] + " asked for " + key + ": stock \"" + batch.out +
                               batch.err + one.out + one.err + "\", ours " + Describe(ours);
      if (!one.err.empty()) {
        EXPECT_TRUE(ours.Is(Status::kRetry)) << what;
        ++failed;
      } else if (stock_found) {
        EXPECT_TRUE(ours.Is(Status::kOk)) << what;
        ++found;
      } else {
        EXPECT_TRUE(ours.Is(Status::kNoKey)) << what;
        ++not_found;
      }
    }
  }
  // So that the comparison is one.
  EXPECT_GT(found, 50);
  EXPECT_GT(not_found, 50);
  EXPECT_GT(failed, 3);
}

INSTANTIATE_TEST_SUITE_P(Service, DomainListAnswers,
                         testing::Values(Service::kInPlace, Service::kBeside),
                         [](const auto& info) {
                           return info.param == Service::kInPlace ? "InPlace" : "Beside";
                         });

TEST_F(DomainLists, MembersNeedNoApprovalAndGetNone) {
  Add("a.cf", "inline:{a.example=b}");
  Make();
  Start();
  ExpectFound("a.cf", "u@a.example");
  const Answer answer = client_->Lookup("inline:{a.example=b}", "a.example");
  EXPECT_TRUE(answer.Is(Status::kDeny)) << Describe(answer);
}

TEST_F(DomainLists, CheckFindsNothingWrongWithThem) {
  Add("a.cf", "!hash:/nowhere/x, inline:{a.example=b, c.example=d}, pgsql:/nowhere/other.cf");
  Make();
  const CommandResult check = harness::RunCommand(
      {options_.proxymux, "check", "--config-directory", postfix_->config_directory()});
  EXPECT_EQ(check.status, 0);
  EXPECT_THAT(check.out, HasSubstr(" 0 errors, 0 warnings")) << check.err;
}

TEST_F(DomainLists, AMemberThatCannotBeOpenedIsRetryUntilItIsMended) {
  Add("a.cf", "a.example, hash:" + File("later"));
  Add("b.cf", "!pgsql:" + File("later.cf") + ", static:x");
  Make();
  Start();
  ExpectStatus("a.cf", "u@b.example", Status::kRetry);
  ExpectStatus("b.cf", "u@b.example", Status::kRetry);
  ExpectFound("a.cf", "u@a.example");
  for (const char* member : {"hash:", "pgsql:"}) {
    EXPECT_TRUE(postfix_->WaitForLog(std::string("the domain list cannot be looked up: ") + member))
        << postfix_->Log();
  }
  WriteHash("later", "b.example x\n");
  postfix_->WriteConfig("later.cf",
                        harness::TableText(world_.Hosts(), "SELECT 'x' WHERE '%s' = 'a.example'"));
  EXPECT_TRUE(EventuallyFound("a.cf", "u@b.example")) << postfix_->Log();
  EXPECT_TRUE(EventuallyFound("b.cf", "u@b.example")) << postfix_->Log();
  ExpectStatus("b.cf", "u@a.example", Status::kNoKey);
}

TEST_F(DomainLists, AChangedMemberIsTakenUp) {
  Add("a.cf", "hash:" + File("listed"));
  Make();
  WriteHash("listed", "a.example x\n");
  // Stock compares times in whole seconds.
  const std::string database = File("listed.db");
  std::filesystem::last_write_time(database,
                                   std::filesystem::last_write_time(database) - seconds(60));
  Start();
  ExpectFound("a.cf", "u@a.example");
  ExpectStatus("a.cf", "u@b.example", Status::kNoKey);
  WriteHash("listed", "b.example x\n");
  EXPECT_TRUE(EventuallyFound("a.cf", "u@b.example")) << postfix_->Log();
  ExpectStatus("a.cf", "u@a.example", Status::kNoKey);
}

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
