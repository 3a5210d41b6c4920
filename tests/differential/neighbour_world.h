// A private Postfix whose proxymux has the neighbours as its tables, what stock answers about each
// of them, and what came of lookups.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "protocol/reply.h"
#include "tests/differential/answered.h"
#include "tests/differential/differential_world.h"
#include "tests/differential/neighbours.h"
#include "tests/differential/stock_oracle.h"
#include "tests/harness/mail_schema.h"
#include "tests/harness/postfix_instance.h"
#include "tests/harness/proxymap_client.h"
#include "tests/harness/temp_directory.h"

namespace proxymux::differential {

// What came of lookups of one table.
struct Tally {
  std::size_t asked = 0;
  std::size_t wrong = 0;    // another value, or found where nothing is, or nothing where a row is
  std::size_t shown = 0;    // of these: a row that stock does not show
  std::size_t refused = 0;  // RETRY or CONFIG where stock has an answer
  std::string first;        // of these

  void Add(const Tally& more) {
    asked += more.asked;
    wrong += more.wrong;
    shown += more.shown;
    refused += more.refused;
    if (first.empty()) first = more.first;
  }
  bool Clean() const { return wrong == 0 && refused == 0; }
};

class NeighbourWorld : public testing::Test {
 protected:
  // Filled once, however many fixtures there are.
  static DifferentialWorld& World() {
    static DifferentialWorld& world = Filled(DifferentialWorld::Instance());
    return world;
  }
  static DifferentialWorld& Filled(DifferentialWorld& world) {
    const std::string text = harness::ReadFile("tests/differential/neighbours.sql");
    if (text.empty()) throw std::runtime_error("tests/differential/neighbours.sql is not there");
    world.cluster().Sql(harness::kMailDatabase, world.Fill(text));
    return world;
  }

  void StartService(int connections) {
    harness::PostfixInstance::Options options;
    options.service = harness::Service::kInPlace;
    options.proxymux = harness::ProxymuxBinary();
    for (const Neighbour& table : tables_) {
      options.tables.push_back({table.name + ".cf", harness::TableText(world_.cluster().TcpHost(),
                                                                       table.query, table.more)});
    }
    // However slow the machine is: that nobody starves is counted, not timed.
    options.yaml = "pool: {connections: " + std::to_string(connections) +
                   ", queue_wait: 10m, stall_limit: 0s}\n"
                   "table: {coalesce: off, lookup_timeout: 10m, query_timeout: 10m}\n";
    postfix_ = std::make_unique<harness::PostfixInstance>(world_.NewDirectory(), options);
    postfix_->Start();
    AskStock();
  }

  // Each key in a session of its own: what is right does not depend on what was asked before.
  void AskStock() {
    if (!right_.empty()) return;  // once for all fixtures as well
    for (const Neighbour& table : tables_) {
      for (const std::string& key : table.keys) {
        StockOracle stock(postfix_->config_directory(), postfix_->Table(table.name + ".cf"));
        right_[table.name + ' ' + key] = FromDirect(stock.Ask({key}, {true}).front());
      }
    }
  }

  std::string FileOf(const Neighbour& table) const { return postfix_->Table(table.name + ".cf"); }
  Tally Judge(const Neighbour& table, const std::string& key, const harness::Answer& answer) const {
    const Answered stock = right_.at(table.name + ' ' + key);
    const Answered ours = FromWire(answer, "proxymux", FileOf(table));
    Tally tally;
    tally.asked = 1;
    if (!table.has_answer) return tally;
    if (stock.IsError() ? ours.IsError() : Equal(stock, ours, true)) return tally;
    if (ours.IsError()) {
      tally.refused = 1;
    } else {
      tally.wrong = 1;
      if (ours.Is(protocol::Status::kOk) && stock.Is(protocol::Status::kNoKey)) tally.shown = 1;
    }
    tally.first =
        table.name + ' ' + key + ": stock " + Describe(stock) + ", proxymux " + Describe(ours);
    return tally;
  }

  DifferentialWorld& world_ = World();
  const std::vector<Neighbour> tables_ = Neighbours();
  std::unique_ptr<harness::PostfixInstance> postfix_;
  inline static std::map<std::string, Answered> right_;  // by table and key
};

}  // namespace proxymux::differential
