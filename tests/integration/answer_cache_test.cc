// Tables that keep answers, over rows that change: what is answered when, and what ends it.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <memory>
#include <string>

#include "tests/harness/admin_client.h"
#include "tests/harness/proxymap_client.h"
#include "tests/integration/mail_world.h"
#include "tests/integration/table_status.h"

namespace proxymux::integration {
namespace {

using harness::Answer;
using harness::Describe;
using harness::PostfixInstance;
using harness::ProxymapClient;
using harness::Service;
using protocol::Status;
using std::chrono::steady_clock;

constexpr auto kTtl = std::chrono::seconds(3);  // of short.cf, for both kinds of answers

// short.cf, long.cf (for an hour) and plain.cf (nothing kept) ask the same; counting.cf may write.
class AnswerCacheOnServers : public testing::Test {
 protected:
  void SetUp() override {
    MailWorld& world = MailWorld::Instance();
    world.Mend();
    Sql("DROP TABLE IF EXISTS rows; CREATE TABLE rows (k varchar(64) PRIMARY KEY, v varchar(64));"
        "INSERT INTO rows VALUES ('a', 'one');"
        "GRANT SELECT ON rows TO mailreader;"
        "DROP SEQUENCE IF EXISTS counting; CREATE SEQUENCE counting;"
        "GRANT USAGE ON counting TO mailreader");
    auto options = world.Options(Service::kInPlace);
    const std::string directory = world.NewDirectory();
    const auto name = [&](const std::string& file) {
      return "  \"pgsql:" + directory + "/etc/" + file + "\":\n";
    };
    const std::string host = world.first().TcpHost();
    options.tables.clear();
    for (const char* file : {"short.cf", "long.cf", "plain.cf"}) {
      options.tables.push_back({file, Text()});
    }
    options.tables.push_back(
        {"counting.cf", harness::TableText(host, "SELECT nextval('counting') WHERE '%s' <> ''")});
    options.yaml = "tables:\n" + name("short.cf") + "    cache: {ttl: 3s, negative_ttl: 3s}\n" +
                   name("long.cf") + "    cache: {ttl: 1h, negative_ttl: 1h}\n" +
                   name("counting.cf") + "    cache: {ttl: 1h, negative_ttl: 1h}\n";
    instance_ = std::make_unique<PostfixInstance>(directory, options);
    instance_->Start();
    client_ = std::make_unique<ProxymapClient>(instance_->SocketPath());
    Learn();
  }

  // Answers are kept once the catalogue has said that the statement reads; that of counting.cf is
  // asked about with its first lookup.
  void Learn() {
    for (const char* file : {"short.cf", "long.cf", "plain.cf"}) Look(file, "learn");
    EXPECT_TRUE(
        harness::Eventually([&] { return TablesKnownToRead(instance_->AdminSocket()) == 3; }));
  }

  static std::string Text() {
    return harness::TableText(MailWorld::Instance().first().TcpHost(),
                              "SELECT v FROM rows WHERE k = '%s'");
  }
  static void Sql(const std::string& text) {
    MailWorld::Instance().first().Sql(harness::kMailDatabase, text);
  }
  Answer Look(const std::string& file, const std::string& key) {
    return client_->Lookup(instance_->Table(file), key);
  }
  double Metric(const std::string& name, const std::string& file) {
    return harness::MetricOf(instance_->AdminSocket(),
                             name + "{table=\"" + instance_->Table(file) + "\"}");
  }
  // Asks short.cf until `is_new`; every answer before that must be `is_old`, and none of those may
  // have been asked for when the old answer, known by `known`, was over its time.
  template <typename IsOld, typename IsNew>
  void ExpectOldInTimeThenNew(const std::string& key, steady_clock::time_point known, IsOld is_old,
                              IsNew is_new) {
    int old_answers = 0;
    for (;;) {
      const auto asked = steady_clock::now();
      const Answer answer = Look("short.cf", key);
      if (is_new(answer)) break;
      ASSERT_TRUE(is_old(answer)) << Describe(answer);
      ASSERT_LT(asked - known, kTtl) << "older than its ttl";
      ++old_answers;
    }
    EXPECT_GT(old_answers, 0) << "nothing was kept";
  }

  std::unique_ptr<PostfixInstance> instance_;
  std::unique_ptr<ProxymapClient> client_;
};

TEST_F(AnswerCacheOnServers, AChangedRowIsSeenWhenTheTtlIsOverAndAtOnceWithoutACache) {
  ASSERT_TRUE(Look("plain.cf", "a").IsValue("one"));
  ASSERT_TRUE(Look("short.cf", "a").IsValue("one"));
  const auto known = steady_clock::now();
  Sql("UPDATE rows SET v = 'two' WHERE k = 'a'");
  EXPECT_TRUE(Look("plain.cf", "a").IsValue("two"));
  ExpectOldInTimeThenNew(
      "a", known, [](const Answer& answer) { return answer.IsValue("one"); },
      [](const Answer& answer) { return answer.IsValue("two"); });
}

TEST_F(AnswerCacheOnServers, ANewRowIsSeenWhenTheNegativeTtlIsOver) {
  ASSERT_TRUE(Look("short.cf", "new").Is(Status::kNoKey));
  const auto known = steady_clock::now();
  Sql("INSERT INTO rows VALUES ('new', 'here')");
  EXPECT_TRUE(Look("plain.cf", "new").IsValue("here"));
  ExpectOldInTimeThenNew(
      "new", known, [](const Answer& answer) { return answer.Is(Status::kNoKey); },
      [](const Answer& answer) { return answer.IsValue("here"); });
}

TEST_F(AnswerCacheOnServers, AnswersAreTheSameBytesAndCounted) {
  const double entries = Metric("proxymux_table_cache_entries", "long.cf");
  for (const char* key : {"a", "nobody"}) {
    const Answer asked = Look("plain.cf", key);
    for (int i = 0; i < 3; ++i) {
      const Answer answer = Look("long.cf", key);
      EXPECT_EQ(Describe(answer), Describe(asked)) << key << " " << i;
    }
  }
  EXPECT_EQ(Metric("proxymux_table_cache_hits_total", "long.cf"), 4);
  EXPECT_EQ(Metric("proxymux_table_cache_misses_total", "long.cf"), 2);
  EXPECT_EQ(Metric("proxymux_table_cache_entries", "long.cf"), entries + 2);
  EXPECT_EQ(Metric("proxymux_table_cache_hits_total", "plain.cf"), -1) << "it has no cache";
}

TEST_F(AnswerCacheOnServers, AReloadAndAChangedFileEmptyTheCache) {
  ASSERT_TRUE(Look("long.cf", "a").IsValue("one"));
  Sql("UPDATE rows SET v = 'two'");
  EXPECT_TRUE(Look("long.cf", "a").IsValue("one"));
  const auto pids = instance_->Pids("proxymux");
  ASSERT_EQ(pids.size(), 1u);
  ::kill(pids[0], SIGHUP);
  ASSERT_TRUE(instance_->WaitForLog("settings and tables were read again"));
  EXPECT_TRUE(Look("long.cf", "a").IsValue("two"));
  Learn();
  EXPECT_TRUE(Look("long.cf", "a").IsValue("two"));
  Sql("UPDATE rows SET v = 'three'");
  EXPECT_TRUE(Look("long.cf", "a").IsValue("two"));
  const std::size_t mark = instance_->LogMark();
  instance_->WriteConfig("long.cf", Text() + "# touched\n");
  ASSERT_TRUE(instance_->WaitForLog("the new version of its file is in use", mark));
  EXPECT_TRUE(Look("long.cf", "a").IsValue("three"));
}

TEST_F(AnswerCacheOnServers, AStatementThatMayWriteIsAskedEveryTime) {
  for (int i = 1; i <= 5; ++i) {
    const Answer answer = Look("counting.cf", "k");
    EXPECT_TRUE(answer.IsValue(std::to_string(i))) << Describe(answer);
  }
  EXPECT_EQ(Metric("proxymux_table_cache_entries", "counting.cf"), 0);
  EXPECT_EQ(Metric("proxymux_table_cache_misses_total", "counting.cf"), 0);
}

}  // namespace
}  // namespace proxymux::integration
