// Clients that do what Postfix never does. Whatever it is, others are served as if it had not
// happened: five of them ask all the time, and every answer must be right.
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "protocol/request_encoder.h"
#include "tests/harness/installed_postfix.h"
#include "tests/harness/load_clients.h"
#include "tests/harness/load_on.h"
#include "tests/harness/proxymap_client.h"
#include "tests/integration/mail_world.h"

namespace proxymux::integration {
namespace {

using harness::Answer;
using harness::Describe;
using harness::LoadClients;
using harness::LoadOptions;
using harness::LoadReport;
using harness::milliseconds;
using harness::PostfixInstance;
using harness::ProxymapClient;
using harness::seconds;
using harness::Service;
using harness::Socket;
using protocol::Status;
using std::string_literals::operator""s;

class HostileClients : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto& world = MailWorld::Instance();
    postfix_ =
        std::make_unique<PostfixInstance>(world.NewDirectory(), world.Options(Service::kInPlace));
    postfix_->Start();
  }
  static void TearDownTestSuite() { postfix_.reset(); }

  void SetUp() override {
    mark_ = postfix_->LogMark();
    pid_ = postfix_->Pids("proxymux");
    bystanders_ = std::make_unique<LoadClients>(Load(5));
    ASSERT_TRUE(bystanders_->WaitForAnswers(100));
  }

  void TearDown() override {
    EXPECT_TRUE(bystanders_->WaitForAnswers(100));
    const LoadReport report = bystanders_->Finish();
    EXPECT_EQ(report.Failed(), 0u) << report.Text();
    EXPECT_EQ(report.connects, 5u) << report.Text();
    EXPECT_LT(report.longest_silence_ms, 1000) << report.Text();
    if (!pid_.empty()) {
      EXPECT_EQ(postfix_->Pids("proxymux"), pid_) << postfix_->Log().substr(mark_);
    }
  }

  static LoadOptions Load(int clients) { return harness::LoadOn(*postfix_, clients); }

  static std::string Table() { return postfix_->Table("pgsql-aliases.cf"); }
  static ProxymapClient Connect() { return ProxymapClient(postfix_->SocketPath()); }

  // A lookup whose parts are spelled as given.
  static std::string LookupBytes(const std::string& table, const std::string& flags,
                                 const std::string& key) {
    return "request\0lookup\0table\0"s + table + "\0flags\0"s + flags + "\0key\0"s + key + "\0\0"s;
  }
  static std::string GoodLookup(int user) {
    return LookupBytes(Table(), "524353", harness::AliasOf(user));
  }

  static void ExpectGoodLookup(ProxymapClient& client) {
    const Answer answer = client.Lookup(Table(), harness::AliasOf(11));
    EXPECT_TRUE(answer.IsValue(harness::AddressOf(11))) << Describe(answer);
  }

  // The whole reply to these bytes.
  static std::string ReplyTo(ProxymapClient& client, const std::string& bytes) {
    EXPECT_TRUE(client.SendBytes(bytes));
    return client.ReceiveList();
  }

  bool Warned(const std::string& text) { return postfix_->WaitForLog(text, mark_, seconds(5)); }

  static std::unique_ptr<PostfixInstance> postfix_;
  std::unique_ptr<LoadClients> bystanders_;
  std::size_t mark_ = 0;
  std::vector<pid_t> pid_;
};

std::unique_ptr<PostfixInstance> HostileClients::postfix_;

TEST_F(HostileClients, RequestInSingleBytesIsAnswered) {
  ProxymapClient client = Connect();
  for (const char byte : GoodLookup(4)) ASSERT_TRUE(client.SendBytes(std::string(1, byte)));
  const Answer answer = client.Receive(protocol::RequestKind::kLookup);
  EXPECT_TRUE(answer.IsValue(harness::AddressOf(4))) << Describe(answer);
}

TEST_F(HostileClients, RequestsInOneWriteAreAnsweredInTheirOrder) {
  ProxymapClient client = Connect();
  std::string bytes;
  for (int user = 1; user <= 200; ++user) bytes += GoodLookup(user);
  ASSERT_TRUE(client.SendBytes(bytes));
  for (int user = 1; user <= 200; ++user) {
    const Answer answer = client.Receive(protocol::RequestKind::kLookup);
    ASSERT_TRUE(answer.IsValue(harness::AddressOf(user))) << user << ": " << Describe(answer);
  }
}

TEST_F(HostileClients, RequestInTwoHalvesAroundAnothersRequestStaysWhole) {
  ProxymapClient first = Connect();
  ProxymapClient second = Connect();
  const std::string one = GoodLookup(21), other = GoodLookup(22);
  ASSERT_TRUE(first.SendBytes(one.substr(0, 30)));
  ASSERT_TRUE(second.SendBytes(other.substr(0, 40)));
  ASSERT_TRUE(first.SendBytes(one.substr(30)));
  ASSERT_TRUE(second.SendBytes(other.substr(40)));
  EXPECT_TRUE(first.Receive(protocol::RequestKind::kLookup).IsValue(harness::AddressOf(21)));
  EXPECT_TRUE(second.Receive(protocol::RequestKind::kLookup).IsValue(harness::AddressOf(22)));
}

TEST_F(HostileClients, MalformedRequestsAreAnsweredBadAndTheConnectionGoesOn) {
  const std::string bad_lookup =
      "status\0"
      "3\0value\0\0\0"s;
  const struct {
    std::string what, bytes, reply;
  } kCases[] = {
      {"flags that are no number", LookupBytes(Table(), "many", "k"), bad_lookup},
      {"flags in hexadecimal", LookupBytes(Table(), "0x10", "k"), bad_lookup},
      {"no key",
       "request\0lookup\0table\0"s + Table() +
           "\0flags\0"
           "0\0\0"s,
       bad_lookup},
      {"key before flags",
       "request\0lookup\0table\0"s + Table() +
           "\0key\0k\0flags\0"
           "0\0\0"s,
       bad_lookup},
      {"a table without a type", LookupBytes("nocolon", "0", "k"), bad_lookup},
      {"no table", "request\0lookup\0\0"s, bad_lookup},
      {"open without flags", "request\0open\0table\0"s + Table() + "\0\0"s,
       "status\0"
       "3\0flags\0"
       "0\0\0"s},
      {"an unknown request", "request\0frobnicate\0table\0"s + Table() + "\0\0"s,
       "status\0"
       "3\0\0"s},
  };
  for (const auto& test : kCases) {
    ProxymapClient client = Connect();
    EXPECT_EQ(ReplyTo(client, test.bytes), test.reply) << test.what;
    ExpectGoodLookup(client);
  }
  EXPECT_TRUE(Warned("warning: "));
}

TEST_F(HostileClients, ListsThatAreNoRequestGetNoReply) {
  ProxymapClient client = Connect();
  ASSERT_TRUE(client.SendBytes("\0\0\0"s));  // three empty lists
  ASSERT_TRUE(client.SendBytes("protocol\0nonsense\0\0"s));
  ASSERT_TRUE(client.SendBytes("table\0x:y\0request\0lookup\0\0"s));
  ExpectGoodLookup(client);
  EXPECT_TRUE(Warned("warning: "));
}

TEST_F(HostileClients, ExtraAttributesAreIgnoredAfterAWarning) {
  ProxymapClient client = Connect();
  std::string bytes = GoodLookup(5);
  bytes.insert(bytes.size() - 1, "colour\0blue\0"s);
  ASSERT_TRUE(client.SendBytes(bytes));
  EXPECT_TRUE(client.Receive(protocol::RequestKind::kLookup).IsValue(harness::AddressOf(5)));
  EXPECT_TRUE(Warned("warning: "));
}

TEST_F(HostileClients, RequestsOfOtherServicesAreDenied) {
  ProxymapClient client = Connect();
  EXPECT_TRUE(client.Ask(protocol::UpdateRequest{Table(), 0, 0, "k", "v"}).Is(Status::kDeny));
  EXPECT_TRUE(client.Ask(protocol::DeleteRequest{Table(), 0, 0, "k"}).Is(Status::kDeny));
  EXPECT_TRUE(
      client.Ask(protocol::SequenceRequest{Table(), 0, 0, protocol::SequenceFunction::kFirst})
          .Is(Status::kConfig));
  ExpectGoodLookup(client);
  EXPECT_TRUE(Warned("warning: "));
}

TEST_F(HostileClients, AnyFlagsAreSurvived) {
  ProxymapClient client = Connect();
  for (int bit = 0; bit < 32; ++bit) {
    const std::uint32_t flags = 1u << bit;
    EXPECT_EQ(client.Lookup(Table(), harness::AliasOf(1), flags).kind, Answer::Kind::kReply)
        << flags;
    EXPECT_EQ(client.Open(Table(), flags).kind, Answer::Kind::kReply) << flags;
  }
  EXPECT_EQ(client.Lookup(Table(), harness::AliasOf(1), 4294967295u).kind, Answer::Kind::kReply);
  EXPECT_EQ(client.Open(Table(), 4294967295u).kind, Answer::Kind::kReply);
  ExpectGoodLookup(client);
}

TEST_F(HostileClients, KeysOfAnyBytesAndLengthsAreOnlyKeys) {
  ProxymapClient client = Connect();
  EXPECT_TRUE(client.Lookup(Table(), "").Is(Status::kNoKey));
  EXPECT_TRUE(client.Lookup(Table(), std::string(60000, 'k')).Is(Status::kNoKey));
  EXPECT_TRUE(client.Lookup(Table(), "\xff\xfe\x80@example.com").Is(Status::kNoKey));
  EXPECT_TRUE(client.Lookup(Table(), "\n\r\t\x01\x7f").Is(Status::kNoKey));
  std::string all;
  for (int byte = 1; byte < 256; ++byte) all += static_cast<char>(byte);
  // From 3.8 on a table's encoding is UTF8, which has no form for it: a reason to defer, as stock.
  const bool has_a_form = harness::TheInstalledPostfix().release < harness::PostfixRelease{3, 8};
  EXPECT_TRUE(client.Lookup(Table(), all, 0).Is(has_a_form ? Status::kNoKey : Status::kRetry));
  ExpectGoodLookup(client);
}

TEST_F(HostileClients, RequestWithoutAnEndClosesItsConnectionOnly) {
  ProxymapClient client = Connect();
  const std::string endless = "request\0lookup\0table\0"s + Table() +
                              "\0flags\0"
                              "0\0key\0"s;
  client.SendBytes(endless + std::string(100000, 'k'));
  EXPECT_TRUE(client.Closed());
  ProxymapClient attributes = Connect();
  std::string many = "request\0lookup\0"s;
  while (many.size() < 100000) many += "a\0b\0"s;
  attributes.SendBytes(many);
  EXPECT_TRUE(attributes.Closed());
  EXPECT_TRUE(Warned("warning: "));
}

TEST_F(HostileClients, ClientsThatVanishInsideARequestLeaveNothingBehind) {
  for (int i = 0; i < 300; ++i) {
    ProxymapClient client = Connect();
    const std::string bytes = GoodLookup(i + 1);
    client.SendBytes(bytes.substr(0, 1 + static_cast<std::size_t>(i) % bytes.size()));
  }
  // Gone with the answer on its way, too.
  for (int i = 0; i < 300; ++i) Connect().SendBytes(GoodLookup(i + 1));
}

TEST_F(HostileClients, HalfClosedClientStillGetsItsAnswer) {
  ProxymapClient client = Connect();
  ASSERT_TRUE(client.SendBytes(GoodLookup(6)));
  client.socket().ShutdownWrite();
  const Answer answer = client.Receive(protocol::RequestKind::kLookup);
  EXPECT_TRUE(answer.IsValue(harness::AddressOf(6))) << Describe(answer);
  EXPECT_TRUE(client.Closed());
}

// The service must not hold what they do not take: it stops reading from them.
TEST_F(HostileClients, ClientsThatNeverReadAreHeldBack) {
  std::vector<ProxymapClient> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(Connect());
  std::string burst;
  for (int user = 1; user <= 500; ++user) burst += GoodLookup(user);
  int held_back = 0;
  for (auto& client : clients) {
    bool taken = true;
    for (int round = 0; round < 100 && taken; ++round) {
      taken = client.socket().Send(burst, milliseconds(500));
    }
    if (!taken) ++held_back;
  }
  EXPECT_EQ(held_back, 20);
}

TEST_F(HostileClients, RandomBytesAreSurvived) {
  std::mt19937 random(7);  // the same bytes in every run
  const std::string alphabet[] = {"\0"s,  "request", "lookup",   "table",   "flags",
                                  "key",  "open",    Table(),    "0",       "\0\0"s,
                                  "\xff", "proxy:",  "sequence", "function"};
  std::uniform_int_distribution<std::size_t> word(0, std::size(alphabet) - 1);
  for (int i = 0; i < 500; ++i) {
    std::string bytes;
    for (int words = 0; words < 60; ++words)
      bytes += alphabet[word(random)] + (word(random) < 9 ? "\0"s : "");
    Connect().SendBytes(bytes);
  }
}

TEST_F(HostileClients, ThousandClientsAtOnceAreServed) {
  LoadClients load(Load(1000));
  EXPECT_TRUE(harness::Eventually([&] { return load.connected() == 1000; })) << load.connected();
  EXPECT_TRUE(load.WaitForAnswers(20000));
  const LoadReport report = load.Finish();
  EXPECT_EQ(report.Failed(), 0u) << report.Text();
  EXPECT_EQ(report.connects, 1000u) << report.Text();
}

}  // namespace
}  // namespace proxymux::integration
