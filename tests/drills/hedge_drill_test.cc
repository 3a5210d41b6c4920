// Hedging (hedge_percent): one of two mirrors holds an answer back now and then, and what every
// answer behind it on that connection takes is measured, with and without a second mirror being
// asked for what takes longer than usual.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/drills/mail_drill.h"
#include "tests/harness/admin_client.h"
#include "tests/harness/tcp_gate.h"

namespace proxymux::drills {
namespace {

using harness::CommandResult;
using harness::PostfixInstance;
using harness::Service;
using harness::TcpGate;

constexpr char kName[] = "one of two mirrors holds a few answers back for 50 ms";
constexpr double kPercent = 5;  // hedge_percent
constexpr TcpGate::Delays kDelays{harness::milliseconds(200), harness::milliseconds(50), 1};
// Of the p99.9, what is left; seen: 3 ms of 51, on a machine with nothing else to do.
constexpr double kGain = 0.5;

struct Figures {
  double p50_ms = 0, p99_ms = 0, p999_ms = 0;
  double twice_percent = 0;  // of the lookups
  std::uint64_t delayed = 0;
};

class HedgeDrill : public MailDrill {
 protected:
  // A modest rate: a machine that is busy is slow by itself.
  Figures Measure(int hedge_percent) {
    auto options = world_.Options(Service::kInPlace);
    options.tables = harness::MailTables(gate_.TcpHost() + " " + world_.second().TcpHost());
    options.yaml = "table: {hedge_percent: " + std::to_string(hedge_percent) + "}\n";
    PostfixInstance postfix(world_.NewDirectory(), options);
    postfix.Start();
    const std::uint64_t delayed = gate_.delayed();
    gate_.Delay(kDelays);
    const CommandResult result = harness::RunCommand({harness::ProxymuxBinary(),
                                                      "bench",
                                                      "--socket",
                                                      postfix.SocketPath(),
                                                      "--table",
                                                      postfix.Table("pgsql-aliases.cf"),
                                                      "--key-pattern",
                                                      "user%d@example%{100}d.com",
                                                      "--value-pattern",
                                                      "box%d@store.example.net",
                                                      "--clients",
                                                      "50",
                                                      "--rate",
                                                      "2000",
                                                      "--arrivals",
                                                      "poisson",
                                                      "--warm-up",
                                                      "2s",
                                                      "--duration",
                                                      "7s",
                                                      "--json"});
    const double lookups = Metric(postfix, "proxymux_pool_lookups_total", "");
    const double twice = Metric(postfix, "proxymux_pool_asked_twice_total", "reason=\"hedge\"");
    gate_.Open();
    const auto document = nlohmann::json::parse(result.out);
    EXPECT_EQ(document["counts"]["lookups"], document["counts"]["ok"])
        << document["counts"] << postfix.Log();
    const auto& latency = document["latency_ms"];
    Figures figures{latency["p50"], latency["p99"], latency["p99.9"], 100 * twice / lookups,
                    gate_.delayed() - delayed};
    char text[200];
    std::snprintf(text, sizeof(text),
                  "hedge_percent %d | p50 %.2f ms | p99 %.2f ms | p99.9 %.2f ms | %.2f %% of the "
                  "lookups asked twice | %llu delays",
                  hedge_percent, figures.p50_ms, figures.p99_ms, figures.p999_ms,
                  figures.twice_percent, static_cast<unsigned long long>(figures.delayed));
    SayFigure(kName, Service::kInPlace, text);
    return figures;
  }

  // The sum of a metric's values whose labels hold `label`.
  static double Metric(const PostfixInstance& postfix, const std::string& name,
                       const std::string& label) {
    std::istringstream lines(harness::HttpGet(postfix.AdminSocket(), "/metrics").body);
    double sum = 0;
    bool found = false;
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with(name + "{") || line.find(label) == std::string::npos) continue;
      sum += std::stod(line.substr(line.rfind(' ')));
      found = true;
    }
    EXPECT_TRUE(found) << name << ' ' << label;
    return sum;
  }

  TcpGate gate_{world_.first().port()};
};

TEST_F(HedgeDrill, AMirrorHoldsAnswersBack) {
  // A machine that is busy by itself adds waits of its own: what is gained is asked where the
  // drills have it for themselves, and there of one of a few pairs.
  double best = 1e9;
  for (int i = 0; i < (DrillMode() ? 3 : 1) && best >= kGain; ++i) {
    const Figures without = Measure(0);
    const Figures with = Measure(static_cast<int>(kPercent));
    EXPECT_GT(without.delayed, 0U);
    EXPECT_GT(with.delayed, 0U);
    EXPECT_EQ(without.twice_percent, 0);
    EXPECT_GT(with.twice_percent, 0);
    EXPECT_LE(with.twice_percent, kPercent + 0.5);
    best = std::min(best, with.p999_ms / without.p999_ms);
  }
  EXPECT_LT(best, Bound(kGain));
}

}  // namespace
}  // namespace proxymux::drills
