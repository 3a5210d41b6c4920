// The schema, the settings and the rights change by chance, and proxymux comes to answer what stock
// answers in a new session, in every statement_mode, and goes on to.
//
// It is asked at once, and when it differs again until it agrees. Some time later than it promises
// it must agree at once. Several clients ask at the same time, so that each of its connections is
// asked.
//
// From the environment: PROXYMUX_DIFF_SEED (a number; else taken at random, and printed),
// PROXYMUX_SCHEMA_STEPS (30), PROXYMUX_SCHEMA_PATIENCE (for how many seconds it may differ, 20),
// PROXYMUX_SCHEMA_FAILURES (after so many it ends, 3).
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/differential/answered.h"
#include "tests/differential/changing_schema.h"
#include "tests/differential/differential_world.h"
#include "tests/differential/random_source.h"
#include "tests/differential/stock_oracle.h"
#include "tests/harness/deadline.h"
#include "tests/harness/mail_schema.h"
#include "tests/harness/postfix_instance.h"
#include "tests/harness/proxymap_client.h"

namespace proxymux::differential {
namespace {

using harness::PostfixInstance;
using harness::ProxymapClient;
using harness::SecondsSince;
using Clock = std::chrono::steady_clock;

constexpr int kClients = 6;
constexpr const char* kModes[] = {"auto", "prepared", "parameterized", "legacy"};
// From then on it must agree at once: five times what it promises.
constexpr auto kSettled = std::chrono::seconds(5);

// What became of the steps of one kind.
struct Outcomes {
  std::size_t checks = 0;
  std::size_t not_at_once = 0;
  std::size_t never = 0;
  double longest = 0;  // seconds until it agreed
};

class SchemaChange : public testing::Test {
 protected:
  void SetUp() override {
    Sql(world_.Fill(ChangingSchema()));
    PostfixInstance::Options options;
    options.service = harness::Service::kInPlace;
    options.proxymux = harness::ProxymuxBinary();
    for (const ChangingTable& table : tables_) {
      for (const std::string mode : kModes) {
        options.tables.push_back(
            {table.name + '-' + mode + ".cf",
             harness::TableText(world_.cluster().TcpHost(), table.query,
                                mode == "auto" ? "" : "statement_mode = " + mode + "\n")});
      }
    }
    options.yaml = "table: {coalesce: off}\n";
    postfix_ = std::make_unique<PostfixInstance>(world_.NewDirectory(), options);
    postfix_->Start();
    for (int i = 0; i < kClients; ++i) clients_.emplace_back(postfix_->SocketPath());
  }

  void Sql(const std::string& text) { world_.cluster().Sql(harness::kMailDatabase, text); }

  // One new process, and so a new session, for all keys; another for each key with an error.
  std::vector<Answered> AskStock(const ChangingTable& table) const {
    StockOracle stock(postfix_->config_directory(), postfix_->Table(table.name + "-auto.cf"));
    std::vector<Answered> answers;
    for (const DirectVerdict& verdict :
         stock.Ask(table.keys, std::vector<bool>(table.keys.size(), false))) {
      answers.push_back(FromDirect(verdict));
    }
    return answers;
  }

  // All clients ask the same at once; the answers that are not stock's, in words, by mode.
  std::map<std::string, std::string> Differing(const ChangingTable& table,
                                               const std::vector<Answered>& stock) {
    std::map<std::string, std::string> differing;
    for (const std::string mode : kModes) {
      const std::string name = postfix_->Table(table.name + '-' + mode + ".cf");
      for (std::size_t i = 0; i < table.keys.size(); ++i) {
        for (auto& client : clients_) {
          client.Send(protocol::LookupRequest{name, harness::kPostmapFlags, harness::kPostmapFlags,
                                              table.keys[i]});
        }
        for (auto& client : clients_) {
          const Answered ours =
              FromWire(client.Receive(protocol::RequestKind::kLookup), "proxymux", name);
          if (stock[i].IsError() ? ours.IsError() : Equal(stock[i], ours, true)) continue;
          differing[mode] = table.keys[i] + ": stock " + Describe(stock[i]) + ", proxymux " + mode +
                            ' ' + Describe(ours);
        }
      }
    }
    return differing;
  }

  const ChangingTable& TableOf(const std::string& name) const {
    return *std::find_if(tables_.begin(), tables_.end(),
                         [&](const ChangingTable& table) { return table.name == name; });
  }

  void Check(const ChangingTable& table, const std::string& kind);
  void EndSessions();

  DifferentialWorld& world_ = DifferentialWorld::Instance();
  const std::vector<ChangingTable> tables_ = ChangingTables();
  std::unique_ptr<PostfixInstance> postfix_;
  std::deque<ProxymapClient> clients_;
  const double patience_ = static_cast<double>(FromEnvironment("PROXYMUX_SCHEMA_PATIENCE", 20));
  std::map<std::string, Clock::time_point> changed_;  // by table
  std::map<std::string, Outcomes> outcomes_;          // by kind of step
  std::map<std::string, std::size_t> not_at_once_;    // by statement_mode
  std::size_t failures_ = 0;
  std::string history_;  // steps since the last failure
};

void SchemaChange::Check(const ChangingTable& table, const std::string& kind) {
  const std::vector<Answered> stock = AskStock(table);
  const auto begin = Clock::now();
  const bool settled = begin - changed_[table.name] > kSettled;
  Outcomes& outcomes = outcomes_[kind];
  ++outcomes.checks;
  auto differing = Differing(table, stock);
  if (differing.empty()) return;
  ++outcomes.not_at_once;
  for (const auto& each : differing) ++not_at_once_[each.first];
  while (!settled && !differing.empty() && SecondsSince(begin) < patience_) {
    differing = Differing(table, stock);
  }
  outcomes.longest = std::max(outcomes.longest, SecondsSince(begin));
  if (differing.empty()) return;
  ++outcomes.never;
  ++failures_;
  std::string text;
  for (const auto& each : differing) text += each.second + '\n';
  ADD_FAILURE() << kind << ": " << table.name << " differs "
                << (settled ? "long after the change" : "and does not come to agree") << "\n"
                << text << "steps since sessions were new:\n"
                << history_;
  EndSessions();
}

// So that one failure is not seen as others.
void SchemaChange::EndSessions() {
  history_.clear();
  world_.cluster().Sql("postgres",
                       "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                       "WHERE usename = '" +
                           std::string(harness::kMailRole) + "'");
  for (auto& each : changed_) each.second = Clock::now();
}

TEST_F(SchemaChange, AnswersComeToBeThoseOfANewSession) {
  const std::uint64_t seed =
      FromEnvironment("PROXYMUX_DIFF_SEED", std::random_device()() % 1000000000);
  const std::uint64_t steps = FromEnvironment("PROXYMUX_SCHEMA_STEPS", 30);
  const std::uint64_t most_failures = FromEnvironment("PROXYMUX_SCHEMA_FAILURES", 3);
  std::cout << "seed " << seed << std::endl;
  RandomSource random(seed);
  const auto start = Clock::now();
  for (const ChangingTable& table : tables_) {
    changed_[table.name] = Clock::now();
    Check(table, "before the first step");
  }
  std::uint64_t step = 0;
  for (; step < steps && failures_ < most_failures; ++step) {
    const SchemaStep change = RandomStep(random);
    Sql(change.sql);
    history_ += change.sql + '\n';
    std::set<std::string> asked(change.tables.begin(), change.tables.end());
    for (auto& [name, when] : changed_) {
      if (change.tables.empty() || asked.contains(name)) when = Clock::now();
    }
    if (change.tables.empty()) asked = {"located", "typed"};
    for (const std::string& name : asked) Check(TableOf(name), change.kind);
    const ChangingTable& another = random.Pick(tables_);
    if (!asked.contains(another.name)) Check(another, "another table");
  }
  for (int i = 0; i < 2 && failures_ < most_failures; ++i) {
    for (const ChangingTable& table : tables_) Check(table, "after the last step");
  }

  Outcomes all;
  for (const auto& [kind, outcomes] : outcomes_) {
    std::cout << kind << ": " << outcomes.checks << " checks, " << outcomes.not_at_once
              << " did not agree at once, " << outcomes.never << " never; longest "
              << outcomes.longest << " s" << std::endl;
    all.checks += outcomes.checks;
    all.not_at_once += outcomes.not_at_once;
    all.never += outcomes.never;
    all.longest = std::max(all.longest, outcomes.longest);
  }
  for (const auto& [mode, count] : not_at_once_) {
    std::cout << "statement_mode " << mode << ": " << count << " did not agree at once"
              << std::endl;
  }
  std::cout << "seed " << seed << ": " << step << " steps, " << all.checks << " checks, "
            << all.not_at_once << " did not agree at once, " << all.never << " never; longest "
            << all.longest << " s; " << SecondsSince(start) << " s in all" << std::endl;
}

}  // namespace
}  // namespace proxymux::differential
