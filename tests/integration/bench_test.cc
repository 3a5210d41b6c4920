// `proxymux bench` against real services, proxymux and stock: a small run of each mode, figures
// that add up, and answers that are wrong are noticed.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "tests/integration/bench_run.h"
#include "tests/integration/mail_world.h"

namespace proxymux::integration {
namespace {

using harness::CommandResult;
using harness::PostfixInstance;
using harness::Service;
using nlohmann::json;

constexpr char kAliasKeys[] = "user%d@example%{100}d.com";
constexpr char kAliasValues[] = "box%d@store.example.net";

// One service for all tests of its kind: bench changes nothing.
PostfixInstance& Postfix(Service service) {
  const auto make = [](Service which) {
    MailWorld& world = MailWorld::Instance();
    auto options = world.Options(which);
    auto instance = std::make_unique<PostfixInstance>(world.NewDirectory(), options);
    instance->Start();
    return instance;
  };
  static const auto stock = make(Service::kStock);
  static const auto proxymux = make(Service::kInPlace);
  return service == Service::kStock ? *stock : *proxymux;
}

// Every lookup is in one of the counts, and the tables' counts make up the whole.
void ExpectCountsAddUp(const json& document) {
  const auto ends = [](const json& counts) {
    std::uint64_t sum = 0;
    for (const char* end : {"ok", "nokey", "retry", "config", "bad", "deny", "malformed", "lost"}) {
      sum += counts[end].get<std::uint64_t>();
    }
    return sum;
  };
  EXPECT_EQ(document["counts"]["lookups"], ends(document["counts"])) << document;
  std::uint64_t of_tables = 0;
  for (const json& table : document["tables"]) {
    EXPECT_EQ(table["lookups"], ends(table)) << document;
    of_tables += table["lookups"].get<std::uint64_t>();
  }
  EXPECT_EQ(document["counts"]["lookups"], of_tables) << document;
}

class BenchOn : public testing::TestWithParam<Service> {
 protected:
  Words Target(const std::string& table = "pgsql-aliases.cf") {
    return {"--socket", postfix_.SocketPath(), "--table", postfix_.Table(table)};
  }
  Words Aliases(const Words& more) {
    Words words = Target();
    words.insert(words.end(), {"--key-pattern", kAliasKeys, "--value-pattern", kAliasValues});
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  PostfixInstance& postfix_ = Postfix(GetParam());
};

TEST_P(BenchOn, ClosedLoopOverTwoTablesVerifiesEachAnswer) {
  Words words = Target();
  words.insert(words.end(),
               {"--table", postfix_.Table("pgsql-mailboxes.cf"), "--key-pattern", kAliasKeys,
                "--key-pattern", kAliasValues, "--value-pattern", kAliasValues, "--value-pattern",
                "store.example.net/box%d/", "-c", "20", "-t", "2000", "--warm-up", "100ms"});
  const Outcome run = BenchJson(words);
  EXPECT_EQ(run.status, 0) << run.err << run.document;
  EXPECT_EQ(run.document["counts"]["lookups"], 2000);
  EXPECT_EQ(run.document["counts"]["ok"], 2000) << run.document;
  EXPECT_EQ(run.document["tables"][0]["lookups"], 1000);
  EXPECT_EQ(run.document["verified"], true);
  EXPECT_EQ(run.document["connections"]["connected"], 20);
  EXPECT_EQ(run.document["connections"]["connects"], 20);
  EXPECT_GT(run.document["lookups_per_second"], 100);
  const json& latency = run.document["latency_ms"];
  EXPECT_GT(latency["min"], 0);
  EXPECT_LE(latency["min"], latency["p50"]);
  EXPECT_LE(latency["p50"], latency["p99"]);
  EXPECT_LE(latency["p99"], latency["max"]);
  ExpectCountsAddUp(run.document);
}

TEST_P(BenchOn, OpenLoopKeepsItsRate) {
  const Outcome run =
      BenchJson(Aliases({"-c", "10", "-R", "400", "-T", "2s", "--warm-up", "500ms"}));
  EXPECT_EQ(run.status, 0) << run.err << run.document;
  // One for each 2.5 ms of the window.
  const double seconds = run.document["seconds"];
  EXPECT_NEAR(seconds, 2, 0.1);
  const double due =
      run.document["counts"]["lookups"].get<double>() + run.document["unsent"].get<double>();
  EXPECT_NEAR(due, 400 * seconds, 1.1) << run.document;
  EXPECT_EQ(run.document["loop"], "open");
  ExpectCountsAddUp(run.document);
}

TEST_P(BenchOn, OpenLoopThatIsTooFastSaysWhatWasNotSent) {
  // More than any machine does over one connection. What the warm-up leaves unsent is forgotten.
  const Outcome run =
      BenchJson(Aliases({"-c", "1", "-R", "1000000", "-T", "300ms", "--warm-up", "200ms"}));
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_GT(run.document["counts"]["ok"], 0) << run.document;
  const double due =
      run.document["counts"]["lookups"].get<double>() + run.document["unsent"].get<double>();
  EXPECT_NEAR(due, 1e6 * run.document["seconds"].get<double>(), 2) << run.document;
  EXPECT_GT(run.document["unsent"], 200000) << run.document;
  EXPECT_GT(run.document["sent_late"], 0) << run.document;
  // The typical lookup waited for half of the run, and was not sent.
  EXPECT_GT(run.document["latency_ms"]["p50"], 100) << run.document;
}

TEST_P(BenchOn, ThinkTimeHoldsClientsBack) {
  const Outcome run =
      BenchJson(Aliases({"-c", "10", "--think-time", "50ms", "-T", "1s", "--warm-up", "0s"}));
  EXPECT_EQ(run.status, 0) << run.err;
  // Each client does nothing but wait and think, however slow the machine is: over the run as a
  // whole it has a lookup for each latency and 50 ms, but for what connecting takes.
  const double ok = run.document["counts"]["ok"].get<double>();
  const double turn = 0.05 + run.document["latency_ms"]["mean"].get<double>() / 1e3;
  EXPECT_GT(ok, 0) << run.document;
  EXPECT_LE(ok, 10 * 22) << run.document;
  EXPECT_GE((ok + 2 * 10) * turn, 10 * 0.5) << run.document;
}

TEST_P(BenchOn, IdleClientsStayConnected) {
  const Outcome run = BenchJson(Aliases({"-c", "5", "--idle-clients", "150", "-t", "500"}));
  EXPECT_EQ(run.status, 0) << run.err << run.document;
  EXPECT_EQ(run.document["counts"]["ok"], 500) << run.document;
  EXPECT_EQ(run.document["connections"]["connected"], 5) << run.document;
  EXPECT_EQ(run.document["connections"]["idle_connected"], 150) << run.document;
}

TEST_P(BenchOn, ConnectRateHoldsConnectsBack) {
  const auto begin = std::chrono::steady_clock::now();
  const Outcome run =
      BenchJson(Aliases({"-c", "10", "--connect-rate", "20", "-T", "100ms", "--warm-up", "0s"}));
  EXPECT_EQ(run.status, 0) << run.err << run.document;
  EXPECT_EQ(run.document["connections"]["connected"], 10) << run.document;
  // The first is at once, nine follow 50 ms apart; a timer's grain is let pass.
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(9 * 50 + 100 - 10));
}

TEST_P(BenchOn, MissesAreNoKeyAndMixesAreAnswered) {
  for (const char* distribution : {"uniform", "zipfian", "hot", "sequential"}) {
    const Outcome run = BenchJson(
        Aliases({"--distribution", distribution, "--miss-share", "20%", "-t", "1000", "-c", "4"}));
    EXPECT_EQ(run.status, 0) << run.err << run.document;
    EXPECT_NEAR(run.document["counts"]["nokey"].get<double>(), 200, 60) << run.document;
    ExpectCountsAddUp(run.document);
  }
}

TEST_P(BenchOn, FileWithAWrongValueIsFoundOut) {
  const std::string file = MailWorld::Instance().directory() + "/keys";
  harness::WriteFile(file, harness::AliasOf(1) + "\t" + harness::AddressOf(1) + "\n" +
                               harness::AliasOf(2) + "\t" + harness::AddressOf(3) + "\n" +
                               harness::AliasOf(4) + "\n");
  Words words = Target();
  words.insert(words.end(), {"--keys-file", file, "--distribution", "sequential", "-t", "30",
                             "--warm-up", "0s"});
  const Outcome run = BenchJson(words);
  EXPECT_EQ(run.status, 1) << run.err << run.document;
  EXPECT_EQ(run.document["counts"]["ok"], 30) << run.document;
  EXPECT_EQ(run.document["counts"]["wrong"], 10) << run.document;
  const std::string example = run.document["wrong_examples"][0];
  EXPECT_NE(example.find(harness::AliasOf(2) + ": got \"" + harness::AddressOf(2) + "\", not \"" +
                         harness::AddressOf(3)),
            std::string::npos)
      << example;
}

TEST_P(BenchOn, MissingKeyThatShouldBeThereIsWrong) {
  const Outcome run = BenchJson(Aliases({"--key-range", "999999-999999", "-t", "20"}));
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(run.document["counts"]["nokey"], 20) << run.document;
  EXPECT_EQ(run.document["counts"]["wrong"], 20) << run.document;
}

TEST_P(BenchOn, RefusedTableIsDenyAndNoSuccess) {
  Words words = {"--socket",
                 postfix_.SocketPath(),
                 "--table",
                 "pgsql:/not/approved.cf",
                 "--key-pattern",
                 "%d",
                 "-t",
                 "20"};
  const Outcome run = BenchJson(words);
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(run.document["counts"]["deny"], 20) << run.document;
  EXPECT_EQ(run.document["counts"]["wrong"], 0) << run.document;
}

TEST_P(BenchOn, ProcessorTimeOfTheServiceIsCounted) {
  const Outcome run = BenchJson(Aliases(
      {"-c", "10", "-T", "1s", "--cpu-of", "postfix=" + std::to_string(postfix_.MasterPid())}));
  EXPECT_EQ(run.status, 0) << run.err;
  const json& process = run.document["processes"][0];
  EXPECT_EQ(process["name"], "postfix");
  EXPECT_GT(process["cpu_us_per_lookup"], 1) << run.document;
  EXPECT_LT(process["cpu_seconds"], 1.5 * std::thread::hardware_concurrency()) << run.document;
  EXPECT_GE(process["processes"], 2) << run.document;
  EXPECT_GT(run.document["own_cpu_us_per_lookup"], 0.1) << run.document;
}

INSTANTIATE_TEST_SUITE_P(, BenchOn, testing::Values(Service::kStock, Service::kInPlace),
                         [](const auto& info) {
                           return info.param == Service::kStock ? "Stock" : "Proxymux";
                         });

Words OnProxymux(const Words& more) {
  PostfixInstance& postfix = Postfix(Service::kInPlace);
  Words words = {
      "--socket",      postfix.SocketPath(), "--table",         postfix.Table("pgsql-aliases.cf"),
      "--key-pattern", kAliasKeys,           "--value-pattern", kAliasValues};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

TEST(Bench, SpeaksTheNewDialect) {
  const Outcome run = BenchJson(OnProxymux({"--dialect", "3.11", "-t", "200"}));
  EXPECT_EQ(run.status, 0) << run.err << run.document;
  EXPECT_EQ(run.document["counts"]["ok"], 200) << run.document;
}

TEST(Bench, TextAndProgressAreForPeople) {
  const CommandResult result =
      Bench(OnProxymux({"-c", "5", "-T", "2100ms", "--warm-up", "0s", "--progress"}));
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_NE(result.out.find("latency ms"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("; verified"), std::string::npos) << result.out;
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 2) << result.err;
  EXPECT_NE(result.err.find(" lookups/s, p50 "), std::string::npos) << result.err;
  // Standard error is no terminal here.
  EXPECT_EQ(Bench(OnProxymux({"-T", "1100ms", "--warm-up", "0s"})).err, "");
}

TEST(Bench, WrongUsageIsTwoAndNobodyThereIsOne) {
  EXPECT_EQ(Bench({}).status, 2);
  EXPECT_EQ(Bench(OnProxymux({"--distribution", "flat"})).status, 2);
  EXPECT_EQ(Bench(OnProxymux({"--connect-rate", "-1"})).status, 2);
  EXPECT_EQ(Bench(OnProxymux({"--frobnicate"})).status, 2);
  EXPECT_EQ(Bench({"--socket", "/s", "--table", "pgsql:x", "--keys-file", "/no/such/file"}).status,
            2);
  const CommandResult nobody =
      Bench({"--socket", "/no/such/socket", "--table", "pgsql:x", "--key-pattern", "%d"});
  EXPECT_EQ(nobody.status, 1);
  EXPECT_NE(nobody.err.find("/no/such/socket: No such file"), std::string::npos) << nobody.err;
}

TEST(Bench, OverloadOfTheListenQueueIsWaitedOut) {
  const Outcome run = BenchJson(OnProxymux({"-c", "1500", "-t", "15000", "--warm-up", "0s"}));
  EXPECT_EQ(run.status, 0) << run.err << run.document;
  EXPECT_EQ(run.document["counts"]["ok"], 15000) << run.document;
  EXPECT_EQ(run.document["connections"]["connected"], 1500) << run.document;
}

}  // namespace
}  // namespace proxymux::integration
