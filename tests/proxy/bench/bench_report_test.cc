// The load generator's command line, requests, verdicts and report.
#include "proxy/bench/bench_report.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "protocol/request_encoder.h"
#include "proxy/bench/bench_options.h"
#include "proxy/bench/bench_plan.h"
#include "proxy/bench/process_tree.h"

namespace proxymux::proxy {
namespace {

using protocol::Status;

BenchArguments Good() {
  BenchArguments arguments;
  arguments.socket = "/q/private/proxymap";
  arguments.tables = {"pgsql:/a.cf"};
  arguments.keys.patterns = {"user%d"};
  return arguments;
}

BenchOptions Read(const BenchArguments& arguments) {
  auto read = ReadBenchArguments(arguments);
  const auto* error = std::get_if<BenchOptionError>(&read);
  EXPECT_EQ(error, nullptr) << error->text;
  return error == nullptr ? std::get<BenchOptions>(read) : BenchOptions();
}

TEST(BenchOptions, DefaultsAreAClosedLoopOfTenSeconds) {
  const BenchOptions options = Read(Good());
  EXPECT_EQ(options.duration_ns, 10'000'000'000);
  EXPECT_EQ(options.warm_up_ns, 1'000'000'000);
  EXPECT_EQ(options.rate, 0);
  EXPECT_EQ(options.clients, 1);
  EXPECT_TRUE(options.wire.greeting);
  EXPECT_FALSE(options.weighted);
}

TEST(BenchOptions, TheDialectIsThatOfTheInstalledPostfixUnlessTold) {
  for (const auto installed : {protocol::Dialect::kLegacy, protocol::Dialect::kInstanceFlags}) {
    BenchArguments arguments = Good();
    arguments.wire.installed = installed;
    EXPECT_EQ(Read(arguments).wire.dialect, installed);
    arguments.wire.dialect = "legacy";
    EXPECT_EQ(Read(arguments).wire.dialect, protocol::Dialect::kLegacy);
    EXPECT_EQ(Read(arguments).wire.flags, 524353U);
  }
}

TEST(BenchOptions, TablesWeightsSharesAndProcesses) {
  BenchArguments arguments = Good();
  arguments.tables = {"proxy:pgsql:/a=b.cf=3", "pgsql:/c=d.cf"};
  arguments.keys.value_patterns = {"x%d", "y%d"};
  arguments.keys.range = "5-7";
  arguments.keys.miss_share = "25%";
  arguments.keys.hot_share = "0.75";
  arguments.load.requests = 100;
  arguments.cpu_of = {"12", "postgres=34"};
  const BenchOptions options = Read(arguments);
  ASSERT_EQ(options.tables.size(), 2u);
  EXPECT_EQ(options.tables[0].name, "pgsql:/a=b.cf");
  EXPECT_EQ(options.tables[0].weight, 3);
  EXPECT_EQ(options.tables[1].name, "pgsql:/c=d.cf");
  EXPECT_EQ(options.tables[1].key_pattern, "user%d");
  EXPECT_EQ(options.tables[1].value_pattern, "y%d");
  EXPECT_TRUE(options.weighted);
  EXPECT_EQ(options.range.first, 5u);
  EXPECT_EQ(options.range.last, 7u);
  EXPECT_DOUBLE_EQ(options.mix.miss_share, 0.25);
  EXPECT_DOUBLE_EQ(options.mix.hot_share, 0.75);
  EXPECT_EQ(options.duration_ns, 0) << "so many lookups, without a limit of time";
  ASSERT_EQ(options.processes.size(), 2u);
  EXPECT_EQ(options.processes[0].pid, 12);
  EXPECT_EQ(options.processes[1].name, "postgres");
  EXPECT_EQ(options.processes[1].pid, 34);
}

TEST(BenchOptions, MistakesAreNamed) {
  const auto error = [](auto change) {
    BenchArguments arguments = Good();
    change(arguments);
    auto read = ReadBenchArguments(arguments);
    const auto* found = std::get_if<BenchOptionError>(&read);
    return found == nullptr ? std::string("none") : found->text;
  };
  using A = BenchArguments;
  EXPECT_NE(error([](A& a) { a.tables = {}; }).find("--table"), std::string::npos);
  EXPECT_NE(error([](A& a) { a.tables = {"x.cf"}; }).find("TYPE:NAME"), std::string::npos);
  EXPECT_NE(error([](A& a) { a.tables = {"pgsql:x=0"}; }).find("weight"), std::string::npos);
  EXPECT_NE(error([](A& a) { a.keys.files = {"f"}; }).find("one of --keys-file"),
            std::string::npos);
  EXPECT_NE(error([](A& a) { a.keys.patterns = {}; }).find("one of --keys-file"),
            std::string::npos);
  EXPECT_NE(error([](A& a) {
              a.keys.patterns = {"a", "b"};
            }).find("--key-pattern"),
            std::string::npos);
  EXPECT_NE(error([](A& a) { a.keys.patterns = {"%s"}; }).find("%s"), std::string::npos);
  for (const char* range : {"", "5", "7-5", "a-b", "1-2-3", "-5"}) {
    EXPECT_NE(error([&](A& a) { a.keys.range = range; }).find("--key-range"), std::string::npos)
        << range;
  }
  for (const char* share : {"", "x", "101%", "-1%", "1.5", "nan"}) {
    EXPECT_NE(error([&](A& a) { a.keys.miss_share = share; }).find("--miss-share"),
              std::string::npos)
        << share;
  }
  EXPECT_NE(error([](A& a) { a.load.duration = "10"; }).find("--duration"), std::string::npos);
  EXPECT_NE(error([](A& a) { a.load.duration = "0s"; }).find("--duration"), std::string::npos);
  EXPECT_NE(error([](A& a) { a.load.clients = 0; }).find("--clients"), std::string::npos);
  EXPECT_NE(error([](A& a) { a.load.rate = -1; }).find("--rate"), std::string::npos);
  EXPECT_NE(error([](A& a) {
              a.load.rate = 5;
              a.load.think_time = "5ms";
            }).find("--think-time"),
            std::string::npos);
  EXPECT_NE(error([](A& a) { a.keys.distribution = "even"; }).find("--distribution"),
            std::string::npos);
  EXPECT_NE(error([](A& a) { a.keys.zipf_exponent = 0; }).find("--zipf"), std::string::npos);
  EXPECT_NE(error([](A& a) { a.wire.dialect = "3.7"; }).find("--dialect"), std::string::npos);
  EXPECT_NE(error([](A& a) { a.cpu_of = {"postgres"}; }).find("--cpu-of"), std::string::npos);
}

BenchPlan PlanOf(const BenchOptions& options) {
  std::string error;
  std::vector<BenchKeys> keys;
  for (const auto& table : options.tables) {
    keys.push_back(
        *BenchKeys::FromPattern(table.key_pattern, table.value_pattern, options.range, &error));
  }
  return BenchPlan(options, std::move(keys));
}

TEST(BenchPlan, RequestsAreThoseOfAClientInEitherDialect) {
  for (const char* dialect : {"legacy", "3.11"}) {
    BenchArguments arguments = Good();
    arguments.wire.dialect = dialect;
    const BenchOptions options = Read(arguments);
    BenchPlan plan = PlanOf(options);
    for (const std::uint64_t index : {998u, 4u}) {
      std::string expected;
      const std::string key = "user" + std::to_string(index + 1);
      protocol::AppendRequest({options.wire.dialect, 0,
                               protocol::LookupRequest{"pgsql:/a.cf", options.wire.instance_flags,
                                                       options.wire.flags, key}},
                              &expected);
      EXPECT_EQ(plan.Request({index, 0, false}), expected) << dialect;
    }
  }
}

TEST(BenchPlan, TablesTakeTurnsOrGoByWeight) {
  BenchArguments arguments = Good();
  arguments.tables = {"pgsql:a", "pgsql:b", "pgsql:c"};
  BenchPlan turns = PlanOf(Read(arguments));
  for (const std::uint32_t table : {0, 1, 2, 0, 1}) EXPECT_EQ(turns.Next().table, table);
  arguments.tables = {"pgsql:a=1", "pgsql:b=6", "pgsql:c=3"};
  BenchPlan weighted = PlanOf(Read(arguments));
  std::vector<int> counts(3);
  for (int i = 0; i < 10000; ++i) ++counts[weighted.Next().table];
  EXPECT_NEAR(counts[0], 1000, 150);
  EXPECT_NEAR(counts[1], 6000, 250);
  EXPECT_NEAR(counts[2], 3000, 250);
}

TEST(BenchPlan, AnswersAreHeldAgainstWhatIsKnown) {
  BenchArguments arguments = Good();
  BenchPlan unknown = PlanOf(Read(arguments));
  EXPECT_FALSE(unknown.verifies());
  EXPECT_FALSE(unknown.IsWrong({0, 0, false}, {Status::kOk, 0, "", "anything"}));
  EXPECT_FALSE(unknown.IsWrong({0, 0, false}, {Status::kNoKey, 0, "", ""}));
  arguments.keys.value_patterns = {"box%d"};
  BenchPlan plan = PlanOf(Read(arguments));
  EXPECT_TRUE(plan.verifies());
  EXPECT_FALSE(plan.IsWrong({4, 0, false}, {Status::kOk, 0, "", "box5"}));
  EXPECT_TRUE(plan.IsWrong({4, 0, false}, {Status::kOk, 0, "", "box6"}));
  EXPECT_TRUE(plan.IsWrong({4, 0, false}, {Status::kNoKey, 0, "", ""}));
  EXPECT_FALSE(plan.IsWrong({4, 0, true}, {Status::kNoKey, 0, "", ""}));
  EXPECT_TRUE(plan.IsWrong({4, 0, true}, {Status::kOk, 0, "", "box5"}));
  // No answer, right or wrong.
  EXPECT_FALSE(plan.IsWrong({4, 0, false}, {Status::kRetry, 0, "", ""}));
  EXPECT_EQ(plan.Describe({4, 0, false}, {Status::kOk, 0, "", "box6"}),
            "pgsql:/a.cf, user5: got \"box6\", not \"box5\"");
  EXPECT_EQ(plan.Describe({4, 0, true}, {Status::kOk, 0, "", "x"}),
            "pgsql:/a.cf, missing-user5: got \"x\", not NOKEY");
}

BenchResult SampleResult() {
  BenchResult result(2);
  result.tally.BeginWindow(0);
  for (int i = 0; i < 98; ++i) {
    result.tally.Answered(0, i, i + 2'000'000, Status::kOk, false);
  }
  result.tally.Answered(1, 98, 4'000'098, Status::kRetry, false);
  result.tally.Answered(1, 99, 8'000'099, Status::kNoKey, false);
  result.tally.EndWindow(1'000'000'000);
  result.seconds = 1;
  result.lookups_per_second = 100;
  result.processes.push_back({"postgres", 7, 0.002, {3, 9, 2048}});
  return result;
}

TEST(BenchReport, JsonHasTheFigures) {
  BenchArguments arguments = Good();
  arguments.tables = {"pgsql:a", "pgsql:b"};
  BenchResult result = SampleResult();
  result.wrong_examples.push_back("\xff");  // no UTF-8: must not stop the report
  const auto json = nlohmann::json::parse(BenchJson(Read(arguments), result));
  EXPECT_EQ(json["counts"]["lookups"], 100);
  EXPECT_EQ(json["counts"]["ok"], 98);
  EXPECT_EQ(json["counts"]["retry"], 1);
  EXPECT_EQ(json["counts"]["nokey"], 1);
  EXPECT_NEAR(json["latency_ms"]["p50"], 2, 0.016);
  EXPECT_NEAR(json["latency_ms"]["p99"], 4, 0.032);
  EXPECT_EQ(json["latency_ms"]["max"], 8.0);
  EXPECT_NEAR(json["processes"][0]["cpu_us_per_lookup"], 20, 1e-9);
  EXPECT_EQ(json["processes"][0]["resident_kib"], 2048);
  EXPECT_EQ(json["tables"][1]["retry"], 1);
  EXPECT_EQ(json["good"], true);
}

TEST(BenchReport, TextHasThemToo) {
  BenchArguments arguments = Good();
  arguments.tables = {"pgsql:a", "pgsql:b"};
  const std::string text = BenchText(Read(arguments), SampleResult());
  for (const char* words : {"98 OK, 1 NOKEY, 1 RETRY", "p50 2.0", "max 8.000", "20.00 us/lookup",
                            "pgsql:b: 0 OK, 1 NOKEY, 1 RETRY", "closed loop"}) {
    EXPECT_NE(text.find(words), std::string::npos) << words << " in\n" << text;
  }
}

TEST(BenchReport, WrongLostMalformedOrNothingIsNotGood) {
  EXPECT_TRUE(SampleResult().Good());
  EXPECT_FALSE(BenchResult(1).Good());
  BenchResult wrong = SampleResult();
  wrong.tally.Answered(0, 5, 6, Status::kOk, true);
  EXPECT_FALSE(wrong.Good());
  BenchResult lost = SampleResult();
  lost.tally.Lost(0, 5);
  EXPECT_FALSE(lost.Good());
  BenchResult malformed = SampleResult();
  malformed.tally.Malformed(0, 5);
  EXPECT_FALSE(malformed.Good());
  BenchResult gone = SampleResult();
  gone.gone = "Connection refused";
  EXPECT_FALSE(gone.Good());
}

TEST(BenchReport, ProgressLineIsOfTheIntervalAlone) {
  BenchTally tally(1);
  tally.Answered(0, 0, 3'000'000, Status::kOk, false);
  tally.Answered(0, 0, 3'000'000, Status::kRetry, false);
  EXPECT_EQ(BenchProgressLine(2, 0.5, tally.interval(), 9, true),
            "2.0 s: 4 lookups/s, p50 3.000 ms, p99 3.000 ms, max 3.000 ms, 1 failed, 9 clients "
            "(warm-up)");
}

// A child's time counts while it lives and after it was waited for.
TEST(ProcessTree, ChildrenCountAliveAndEnded) {
  int to_child[2], to_us[2];
  ASSERT_EQ(pipe(to_child), 0);
  ASSERT_EQ(pipe(to_us), 0);
  const double before = UseOfProcessTrees({getpid()})[0].cpu_seconds;
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  char byte = 'x';
  if (child == 0) {
    const clock_t end = clock() + CLOCKS_PER_SEC / 5;
    while (clock() < end) {
    }
    if (write(to_us[1], &byte, 1) != 1 || read(to_child[0], &byte, 1) < 0) _exit(1);
    _exit(0);
  }
  ASSERT_EQ(read(to_us[0], &byte, 1), 1);
  const auto alive = UseOfProcessTrees({getpid(), child});
  EXPECT_EQ(alive[0].processes, 1) << "the child counts for itself";
  EXPECT_EQ(alive[1].processes, 1);
  EXPECT_GE(alive[1].cpu_seconds, 0.18);
  EXPECT_GT(alive[1].resident_kib, 0u);
  EXPECT_EQ(UseOfProcessTrees({getpid()})[0].processes, 2);
  EXPECT_GE(UseOfProcessTrees({getpid()})[0].cpu_seconds - before, 0.18);
  ASSERT_EQ(write(to_child[1], &byte, 1), 1);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_GE(UseOfProcessTrees({getpid()})[0].cpu_seconds - before, 0.18);
  EXPECT_EQ(UseOfProcessTrees({child})[0].processes, 0);
  for (const int fd : {to_child[0], to_child[1], to_us[0], to_us[1]}) close(fd);
}

}  // namespace
}  // namespace proxymux::proxy
