// Postfix's own programs asking for mail routes, with stock proxymap and with proxymux in each of
// its places: the answers are the same.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/harness/proxymap_client.h"
#include "tests/harness/smtp_client.h"
#include "tests/integration/mail_world.h"

namespace proxymux::integration {
namespace {

using harness::CommandResult;
using harness::PostfixInstance;
using harness::ProxymapClient;
using harness::Service;
using harness::SmtpClient;

std::string NameOf(const testing::TestParamInfo<Service>& info) {
  switch (info.param) {
    case Service::kStock:
      return "Stock";
    case Service::kInPlace:
      return "InPlace";
    case Service::kBeside:
      return "Beside";
    case Service::kBoth:
      return "Both";
  }
  return "";
}

class Lookups : public testing::TestWithParam<Service> {
 protected:
  static void TearDownTestSuite() { instances_.clear(); }

  // One running instance per service, for all tests.
  PostfixInstance& postfix() {
    auto& instance = instances_[GetParam()];
    if (instance) return *instance;
    auto options = MailWorld::Instance().Options(GetParam());
    const std::string directory = MailWorld::Instance().NewDirectory();
    const std::string senders = directory + "/etc/senders";
    options.approved = {"texthash:" + senders, "hash:" + senders, kInline};
    instance = std::make_unique<PostfixInstance>(directory, options);
    instance->WriteConfig("senders", "alice@example.com bob@example.net\n", 0644);
    harness::RunOrThrow(
        {"/usr/sbin/postmap", "-c", instance->config_directory(), "hash:" + senders});
    instance->Start();
    return *instance;
  }

  void ExpectValue(const std::string& key, const std::string& table, const std::string& value) {
    const CommandResult result = postfix().Postmap(key, table);
    EXPECT_EQ(result.out, value + "\n") << key << " in " << table << ": " << result.err;
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.err, "");
  }

  void ExpectNoValue(const std::string& key, const std::string& table) {
    const CommandResult result = postfix().Postmap(key, table);
    EXPECT_EQ(result.out, "") << key << " in " << table;
    EXPECT_EQ(result.status, 1);
    EXPECT_EQ(result.err, "");
  }

  std::string aliases() { return postfix().Table("pgsql-aliases.cf"); }

  static constexpr char kInline[] = "inline:{fruit=apple}";
  static std::map<Service, std::unique_ptr<PostfixInstance>> instances_;
};

std::map<Service, std::unique_ptr<PostfixInstance>> Lookups::instances_;

TEST_P(Lookups, KeyIsFoundAsWrittenAndInAnyCase) {
  ExpectValue("user7@example7.com", aliases(), "box7@store.example.net");
  ExpectValue("USER7@Example7.Com", aliases(), "box7@store.example.net");
}

TEST_P(Lookups, KeyThatIsNotThereIsAnAnswerAndNoError) {
  ExpectNoValue("nobody@example7.com", aliases());
}

TEST_P(Lookups, QuotesAndBackslashesInAKeyAreOnlyText) {
  ExpectValue("o'brien@example0.com", aliases(), "box7@store.example.net");
  ExpectNoValue("o''brien@example0.com", aliases());
  ExpectNoValue("x' OR 'a'='a", aliases());
  ExpectNoValue("\\' OR 1=1 --", aliases());
}

TEST_P(Lookups, ResultHasAllAddressesOfAList) {
  ExpectValue("list@example0.com", aliases(),
              "user1@example1.com,user2@example2.com,user3@example3.com");
}

TEST_P(Lookups, DomainListKeepsOtherKeysFromTheDatabase) {
  const std::string mailboxes = postfix().Table("pgsql-mailboxes.cf");
  ExpectValue("box9@store.example.net", mailboxes, "store.example.net/box9/");
  ExpectNoValue("box9@elsewhere.example.net", mailboxes);
  ExpectNoValue("store.example.net", mailboxes);
}

TEST_P(Lookups, ResultFormatAndPartsOfTheKeyAreUsed) {
  ExpectValue("box9@store.example.net", postfix().Table("pgsql-transport.cf"), "virtual:");
  ExpectNoValue("store.example.net", postfix().Table("pgsql-transport.cf"));
  ExpectValue("relay9@relay.example.org", postfix().Table("pgsql-relay.cf"),
              "relay9@relay.example.org");
}

TEST_P(Lookups, ManyKeysGoOverOneConnection) {
  std::string keys, expected;
  for (int user = 1; user <= 300; ++user) {
    keys += harness::AliasOf(user) + "\nnobody" + std::to_string(user) + "@example.com\n";
    expected += harness::AliasOf(user) + "\t" + harness::AddressOf(user) + "\n";
  }
  const CommandResult result = postfix().PostmapBatch(keys, aliases());
  EXPECT_EQ(result.out, expected) << result.err;
  EXPECT_EQ(result.status, 0);
}

TEST_P(Lookups, QueryThatFailsOnTheServerIsAnErrorForThatKeyOnly) {
  const std::string ids = postfix().Table("pgsql-id.cf");
  ExpectValue("12", ids, "box12@store.example.net");
  const CommandResult result = postfix().Postmap("abc", ids);
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_NE(result.err, "");
  // Stock leaves both servers alone for a minute now, but only as hosts of this table.
  ExpectValue("user8@example8.com", aliases(), "box8@store.example.net");
  if (GetParam() != Service::kStock) ExpectValue("13", ids, "box13@store.example.net");
}

TEST_P(Lookups, TableThatIsNotApprovedIsDenied) {
  const std::size_t mark = postfix().LogMark();
  const std::string other = postfix().Table("other.cf");
  const CommandResult result = postfix().Postmap("x", other);
  EXPECT_EQ(result.status, 1);
  EXPECT_NE(result.err, "");
  EXPECT_TRUE(postfix().WaitForLog(other, mark)) << postfix().Log().substr(mark);
  EXPECT_FALSE(postfix().Complaints(mark).empty());
}

TEST_P(Lookups, OtherMapTypesAnswerAsEver) {
  ExpectValue("root", "unix:passwd.byname", "root:x:0:0:root:/root:/bin/bash");
  ExpectNoValue("no-such-user", "unix:passwd.byname");
  const std::string senders = postfix().config_directory() + "/senders";
  ExpectValue("alice@example.com", "texthash:" + senders, "bob@example.net");
  ExpectValue("alice@example.com", "hash:" + senders, "bob@example.net");
  ExpectValue("fruit", kInline, "apple");
  ExpectNoValue("vegetable", kInline);
}

// smtpd, cleanup, trivial-rewrite, qmgr and virtual all look something up on its way.
TEST_P(Lookups, MessageToAnAliasReachesTheMailbox) {
  const std::size_t mark = postfix().LogMark();
  const std::string words = "words that nobody else writes";
  const std::string answer = SmtpClient(postfix().smtp_port())
                                 .SendMessage("sender@example.org", {"user5@example5.com"}, words);
  ASSERT_TRUE(answer.starts_with("250 ")) << answer;
  ASSERT_TRUE(postfix().WaitForLog("status=sent (delivered to maildir)", mark)) << postfix().Log();
  bool found = false;
  const std::string mailbox = postfix().mail_directory() + "/store.example.net/box5/new";
  for (const auto& file : std::filesystem::directory_iterator(mailbox)) {
    found = found || harness::ReadFile(file.path()).find(words) != std::string::npos;
  }
  EXPECT_TRUE(found);
  EXPECT_EQ(postfix().Complaints(mark), std::vector<std::string>{});
}

TEST_P(Lookups, MessageToAListReachesEveryMember) {
  const std::size_t mark = postfix().LogMark();
  SmtpClient(postfix().smtp_port()).SendMessage("sender@example.org", {"list@example0.com"}, "all");
  for (const char* address : {"box1@", "box2@", "box3@"}) {
    EXPECT_TRUE(postfix().WaitForLog("to=<" + std::string(address), mark)) << postfix().Log();
  }
  EXPECT_EQ(postfix().Complaints(mark), std::vector<std::string>{});
}

TEST_P(Lookups, SmtpdRefusesRecipientsThatNoTableKnows) {
  SmtpClient smtp(postfix().smtp_port());
  smtp.Command("EHLO client.example.org");
  smtp.Command("MAIL FROM:<sender@example.org>");
  EXPECT_TRUE(smtp.Command("RCPT TO:<user6@example6.com>").starts_with("250 "));
  EXPECT_TRUE(smtp.Command("RCPT TO:<nobody@example6.com>").starts_with("550 5.1.1 "));
  EXPECT_TRUE(smtp.Command("RCPT TO:<box6@store.example.net>").starts_with("250 "));
  EXPECT_TRUE(smtp.Command("RCPT TO:<nobody@store.example.net>").starts_with("550 5.1.1 "));
}

INSTANTIATE_TEST_SUITE_P(Service, Lookups,
                         testing::Values(Service::kStock, Service::kInPlace, Service::kBeside,
                                         Service::kBoth),
                         NameOf);

TEST(TwoServices, BothLinesAnswerAndKeepApart) {
  auto options = MailWorld::Instance().Options(Service::kBoth);
  PostfixInstance postfix(MailWorld::Instance().NewDirectory(), options);
  postfix.Start();
  const std::string table = postfix.Table("pgsql-aliases.cf");
  for (const char* service : {"proxymap", "proxymux"}) {
    ProxymapClient client(postfix.SocketPath(service));
    const auto answer = client.Lookup(table, harness::AliasOf(3));
    EXPECT_TRUE(answer.IsValue(harness::AddressOf(3))) << service << ": " << Describe(answer);
    EXPECT_TRUE(
        std::filesystem::exists(postfix.data_directory() + "/proxymux-" + service + ".sock"));
  }
  EXPECT_EQ(postfix.Pids("proxymux").size(), 2u);
  EXPECT_EQ(postfix.Complaints(), std::vector<std::string>{});
}

}  // namespace
}  // namespace proxymux::integration
