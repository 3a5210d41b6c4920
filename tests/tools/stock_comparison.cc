#include "tests/tools/stock_comparison.h"

#include <poll.h>

#include <algorithm>
#include <cstdio>

#include "tests/harness/load_on.h"
#include "tests/harness/mail_schema.h"
#include "tests/harness/postgres_cluster.h"

namespace proxymux::tools {
namespace {

using harness::Deadline;
using harness::Eventually;
using harness::LoadClients;
using harness::LoadOptions;
using harness::LoadReport;
using harness::PostfixInstance;
using harness::seconds;

constexpr int kClients = 200;

}  // namespace

LoadOptions StockComparison::Load(const PostfixInstance& instance) {
  LoadOptions options = harness::LoadOn(instance, kClients);
  options.users = kUsers;
  return options;
}

// Database connections of proxymux, or of everybody else.
int StockComparison::Connections(bool ours) {
  int count = 0;
  for (auto* cluster : {servers_.first.get(), servers_.second.get()}) {
    if (!cluster->Running()) continue;
    count += std::stoi(
        cluster->Sql("postgres", "SELECT count(*) FROM pg_stat_activity WHERE usename = '" +
                                     std::string(harness::kMailRole) + "' AND application_name " +
                                     (ours ? "=" : "<>") + " 'proxymux'"));
  }
  return count;
}

void StockComparison::Watch(Measurement& measurement, seconds duration, bool ours) {
  for (const Deadline deadline(duration); !deadline.Passed(); ::poll(nullptr, 0, 200)) {
    const int count = ours ? Connections(true) : Connections(false) - deliveries_;
    measurement.connections = std::max(measurement.connections, count);
  }
}

StockComparison::Measurement StockComparison::MeasureLoad(const PostfixInstance& instance) {
  Measurement measurement;
  LoadClients load(Load(instance));
  Watch(measurement, seconds(6), &instance == servers_.postfix.get());
  measurement.report = load.Finish();
  return measurement;
}

void StockComparison::CompareConnections() {
  narration_.Step(std::to_string(kClients) +
                  " clients at once on five tables: stock first, then proxymux");
  // virtual(8) never asks a proxymap: the delivery of a moment ago left a connection of its own.
  deliveries_ = Connections(false);
  servers_.stock->Start();
  stock_load_ = MeasureLoad(*servers_.stock);
  StopStock();
  Say("stock proxymap: " + std::to_string(stock_load_.connections) + " database connections");
  load_ = MeasureLoad(*servers_.postfix);
  Say("proxymux:       " + std::to_string(load_.connections) + " database connections");
  Expect(load_.report.Failed() == 0, "lookups failed: " + load_.report.Text());
  Expect(load_.connections <= 4, "more than 4 connections");
}

void StockComparison::StopStock() {
  servers_.stock->Stop();
  Expect(Eventually([&] { return Connections(false) <= deliveries_; }),
         "connections of stock stay open");
}

StockComparison::Measurement StockComparison::MeasureLoss(const PostfixInstance& instance) {
  Measurement measurement;
  LoadClients load(Load(instance));
  Watch(measurement, seconds(2), &instance == servers_.postfix.get());
  servers_.first->StopImmediate();
  Watch(measurement, seconds(3), &instance == servers_.postfix.get());
  servers_.first->Start();
  Watch(measurement, seconds(2), &instance == servers_.postfix.get());
  measurement.report = load.Finish();
  return measurement;
}

void StockComparison::StopOneMirror() {
  narration_.Step(
      "The same load, and one of the two mirrors is stopped in the middle, then started again");
  servers_.stock->Start();
  stock_loss_ = MeasureLoss(*servers_.stock);
  StopStock();
  Say("stock proxymap: " + std::to_string(stock_loss_.report.Failed()) +
      " lookups failed (deferred mail)");
  loss_ = MeasureLoss(*servers_.postfix);
  Say("proxymux:       " + std::to_string(loss_.report.Failed()) + " lookups failed");
  Expect(loss_.report.Failed() == 0 && loss_.connections <= 4,
         "lookups were lost: " + loss_.report.Text() + "\n" + LogTail());
}

void StockComparison::ShowTable() const {
  const auto row = [](const char* name, const std::string& stock, const std::string& ours) {
    std::printf("   %-44s %14s %14s\n", name, stock.c_str(), ours.c_str());
  };
  const auto rate = [](const LoadReport& report) {
    return std::to_string(
        static_cast<long>(static_cast<double>(report.answered) / report.elapsed_seconds));
  };
  const auto time = [](double milliseconds) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.1f ms", milliseconds);
    return std::string(text);
  };
  std::printf("\n");
  row("200 clients, 5 tables, 2 PostgreSQL servers", "stock proxymap", "proxymux");
  row("database connections", std::to_string(stock_load_.connections),
      std::to_string(load_.connections));
  row("lookups per second", rate(stock_load_.report), rate(load_.report));
  row("half of the answers within", time(stock_load_.report.p50_ms), time(load_.report.p50_ms));
  row("99 of 100 answers within", time(stock_load_.report.p99_ms), time(load_.report.p99_ms));
  row("failed lookups", std::to_string(stock_load_.report.Failed()),
      std::to_string(load_.report.Failed()));
  row("failed lookups while one server was stopped", std::to_string(stock_loss_.report.Failed()),
      std::to_string(loss_.report.Failed()));
  std::fflush(stdout);
}

// The end of the log, for a failure's explanation.
std::string StockComparison::LogTail() const {
  const std::string log = servers_.postfix->Log();
  return log.size() <= 6000 ? log : log.substr(log.find('\n', log.size() - 6000) + 1);
}

}  // namespace proxymux::tools
