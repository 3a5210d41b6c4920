// Both mirrors are gone, and tables that allow it answer with what they knew before.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "tests/harness/admin_client.h"
#include "tests/harness/proxymap_client.h"
#include "tests/harness/smtp_client.h"
#include "tests/integration/mail_world.h"
#include "tests/integration/table_status.h"

namespace proxymux::integration {
namespace {

using harness::Answer;
using harness::Describe;
using harness::Eventually;
using harness::PostfixInstance;
using harness::ProxymapClient;
using harness::Service;
using harness::SmtpClient;
using protocol::Status;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr auto kShort = seconds(6);  // stale_if_error of short.cf

class WithoutMirrors : public testing::Test {
 protected:
  ~WithoutMirrors() override {
    client_.reset();
    postfix_.reset();
    world_.Mend();
  }

  // kept.cf (an hour), short.cf and plain.cf (nothing kept) ask the same; counting.cf may write.
  void StartWithRows() {
    world_.Mend();
    Sql("DROP TABLE IF EXISTS rows; CREATE TABLE rows (k varchar(64) PRIMARY KEY, v varchar(64));"
        "INSERT INTO rows VALUES ('a', 'one');"
        "GRANT SELECT ON rows TO mailreader;"
        "DROP SEQUENCE IF EXISTS counting; CREATE SEQUENCE counting;"
        "GRANT USAGE ON counting TO mailreader");
    auto options = world_.Options(Service::kInPlace);
    const std::string directory = world_.NewDirectory();
    const auto stale = [&](const std::string& file, const std::string& time) {
      return "  \"pgsql:" + directory + "/etc/" + file + "\": {stale_if_error: " + time + "}\n";
    };
    options.tables.clear();
    for (const char* file : {"kept.cf", "short.cf", "plain.cf"}) {
      options.tables.push_back(
          {file, harness::TableText(world_.Hosts(), "SELECT v FROM rows WHERE k = '%s'")});
    }
    options.tables.push_back({"counting.cf", harness::TableText(world_.Hosts(),
                                                                "SELECT nextval('counting') WHERE "
                                                                "'%s' <> ''")});
    options.yaml = "pool: {connect_timeout: 1s, outage_wait: 0s}\ntables:\n" +
                   stale("kept.cf", "1h") + stale("short.cf", "6s") + stale("counting.cf", "1h");
    postfix_ = std::make_unique<PostfixInstance>(directory, options);
    postfix_->Start();
    client_ = std::make_unique<ProxymapClient>(postfix_->SocketPath());
    // Answers are kept once the catalogue has said that the statement reads.
    Look("kept.cf", "learn");
    Look("short.cf", "learn");
    EXPECT_TRUE(Eventually([&] { return TablesKnownToRead(postfix_->AdminSocket()) >= 2; }));
  }
  void Sql(const std::string& text) {
    world_.first().Sql(harness::kMailDatabase, text);
    world_.second().Sql(harness::kMailDatabase, text);
  }
  void StopBoth() {
    world_.first().Stop();
    world_.second().Stop();
  }
  Answer Look(const std::string& file, const std::string& key) {
    return client_->Lookup(postfix_->Table(file), key);
  }
  double StaleAnswers(const std::string& file) {
    return harness::MetricOf(
        postfix_->AdminSocket(),
        "proxymux_table_stale_answers_total{table=\"" + postfix_->Table(file) + "\"}");
  }
  // The mirrors are back: never anything but the old answer until the new one comes.
  void ExpectOldThenNew(const std::string& old_value, const std::string& new_value) {
    Answer answer;
    EXPECT_TRUE(Eventually([&] {
      answer = Look("kept.cf", "a");
      return !answer.IsValue(old_value);
    })) << postfix_->Log();
    EXPECT_TRUE(answer.IsValue(new_value)) << Describe(answer) << postfix_->Log();
  }

  MailWorld& world_ = MailWorld::Instance();
  std::unique_ptr<PostfixInstance> postfix_;
  std::unique_ptr<ProxymapClient> client_;
};

TEST_F(WithoutMirrors, WhatWasKnownIsAnsweredWhereItIsAllowedAndTheRestIsRetry) {
  StartWithRows();
  EXPECT_TRUE(Look("kept.cf", "a").IsValue("one"));
  EXPECT_TRUE(Look("kept.cf", "nobody").Is(Status::kNoKey));
  EXPECT_TRUE(Look("plain.cf", "a").IsValue("one"));
  EXPECT_TRUE(Look("counting.cf", "k").Is(Status::kOk));
  Sql("UPDATE rows SET v = 'two'");
  EXPECT_TRUE(Look("kept.cf", "a").IsValue("two")) << "with a mirror there is only the truth";
  Sql("UPDATE rows SET v = 'three'");
  EXPECT_EQ(StaleAnswers("kept.cf"), 0);

  StopBoth();
  for (int i = 0; i < 3; ++i) {
    const Answer answer = Look("kept.cf", "a");
    EXPECT_TRUE(answer.IsValue("two")) << Describe(answer) << postfix_->Log();
  }
  EXPECT_TRUE(Look("kept.cf", "nobody").Is(Status::kNoKey));
  for (const auto& [file, key] :
       {std::pair("kept.cf", "never"), std::pair("plain.cf", "a"), std::pair("counting.cf", "k")}) {
    const Answer answer = Look(file, key);
    EXPECT_TRUE(answer.Is(Status::kRetry)) << file << ": " << Describe(answer);
  }
  EXPECT_EQ(StaleAnswers("kept.cf"), 4);
  EXPECT_EQ(StaleAnswers("counting.cf"), 0);
  EXPECT_EQ(StaleAnswers("plain.cf"), -1) << "it keeps nothing";
  EXPECT_TRUE(postfix_->WaitForLog("a lookup is answered with what was known")) << postfix_->Log();
  const auto lines = postfix_->LogLinesWith({"stale_if_error"});
  ASSERT_FALSE(lines.empty());
  EXPECT_LE(lines.size(), 3u) << "held back";
  EXPECT_NE(lines[0].find("table " + postfix_->Table("kept.cf") + ": every host is down ("),
            std::string::npos)
      << lines[0];

  world_.Mend();
  ExpectOldThenNew("two", "three");
}

TEST_F(WithoutMirrors, AnAnswerThatIsTooOldIsRetry) {
  StartWithRows();
  const auto before = steady_clock::now();
  ASSERT_TRUE(Look("short.cf", "a").IsValue("one"));
  const auto known = steady_clock::now();
  ASSERT_TRUE(Look("kept.cf", "a").IsValue("one"));
  StopBoth();
  int given = 0;
  for (;;) {
    const auto asked = steady_clock::now();
    const Answer answer = Look("short.cf", "a");
    if (!answer.IsValue("one")) {
      EXPECT_TRUE(answer.Is(Status::kRetry)) << Describe(answer);
      EXPECT_GE(steady_clock::now() - before, kShort) << "it was young enough";
      break;
    }
    ASSERT_LT(asked - known, kShort) << "older than stale_if_error";
    ++given;
  }
  EXPECT_GT(given, 0);
  EXPECT_TRUE(Look("kept.cf", "a").IsValue("one"));
}

TEST_F(WithoutMirrors, TheSameWhenBothFreeze) {
  StartWithRows();
  ASSERT_TRUE(Look("kept.cf", "a").IsValue("one"));
  Sql("UPDATE rows SET v = 'two'");
  world_.first().Freeze();
  world_.second().Freeze();
  // stall_limit and connect_timeout, for each of them, and time to spare.
  const auto frozen = steady_clock::now();
  EXPECT_TRUE(Look("kept.cf", "a").IsValue("one")) << postfix_->Log();
  EXPECT_LT(steady_clock::now() - frozen, seconds(8));
  const auto down = steady_clock::now();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(Look("kept.cf", "a").IsValue("one"));
  EXPECT_LT(steady_clock::now() - down, seconds(2)) << "they are known to be down";
  world_.Mend();
  ExpectOldThenNew("one", "two");
}

// smtpd, cleanup, trivial-rewrite and qmgr look something up on its way. virtual(8) would ask its
// tables itself, without any proxymap: another agent delivers.
TEST_F(WithoutMirrors, MailToKnownRecipientsGoesOn) {
  world_.Mend();
  auto options = world_.Options(Service::kInPlace);
  options.yaml = "table: {stale_if_error: 1h}\n";
  for (auto& table : options.tables) {
    if (table.name != "pgsql-transport.cf") continue;
    table.text = harness::TableText(world_.Hosts(),
                                    "SELECT 'discard:delivered' WHERE '%s' = 'store.example.net'");
  }
  postfix_ = std::make_unique<PostfixInstance>(world_.NewDirectory(), options);
  postfix_->WriteConfig("master.cf",
                        harness::ReadFile(postfix_->config_directory() + "/master.cf") +
                            "discard unix - - n - - discard\n",
                        0644);
  postfix_->Start();
  const auto send = [&] {
    const std::size_t mark = postfix_->LogMark();
    const std::string answer =
        SmtpClient(postfix_->smtp_port())
            .SendMessage("sender@example.org", {"user5@example5.com"}, "words");
    EXPECT_TRUE(answer.starts_with("250 ")) << answer << postfix_->Log();
    EXPECT_TRUE(postfix_->WaitForLog("status=sent (delivered)", mark)) << postfix_->Log();
  };
  const auto recipient = [&](const std::string& address) {
    SmtpClient smtp(postfix_->smtp_port());
    smtp.Command("EHLO client.example.org");
    smtp.Command("MAIL FROM:<sender@example.org>");
    return smtp.Command("RCPT TO:<" + address + ">");
  };
  send();
  EXPECT_TRUE(recipient("nobody@example5.com").starts_with("550 5.1.1 "));
  StopBoth();
  send();
  EXPECT_TRUE(recipient("nobody@example5.com").starts_with("550 5.1.1 "));
  EXPECT_TRUE(recipient("user105@example5.com").starts_with("451 4.3.0 "))
      << "nobody has asked for it";
}

}  // namespace
}  // namespace proxymux::integration
