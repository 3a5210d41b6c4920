// Neighbours of all kinds in one pool: every answer is what stock gives, who has a connection for
// each table, and nothing that one table leaves behind is seen by another.
//
// From the environment: PROXYMUX_STORM_LOOKUPS (of each table, 20), PROXYMUX_DIFF_SEED (of the
// order in which they are asked; else taken at random, and printed).
#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/differential/answered.h"
#include "tests/differential/differential_world.h"
#include "tests/differential/neighbours.h"
#include "tests/differential/random_source.h"
#include "tests/differential/stock_oracle.h"
#include "tests/harness/mail_schema.h"
#include "tests/harness/postfix_instance.h"
#include "tests/harness/proxymap_client.h"

namespace proxymux::differential {
namespace {

using harness::Eventually;
using harness::PostfixInstance;
using harness::ProxymapClient;
using protocol::Status;
using Kind = Neighbour::Kind;

constexpr int kClients = 24;

// Tables take turns, and a lookup waits for a turn of its own after those of the same table that
// wait before it; what the server refuses is asked once more and waits for a second one. For each
// of these turns each connection may answer all others so many times: how fast the one is on which
// nothing has to be made anew, nobody knows. Up to three were seen, and more than ten where slow
// lookups starved.
constexpr std::size_t kMostRounds = 4;

// For one answer, however slow the machine is.
constexpr int kPatienceMs = 10 * 60 * 1000;

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

class NeighbourStorm : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const std::string text = harness::ReadFile("tests/differential/neighbours.sql");
    if (text.empty()) throw std::runtime_error("tests/differential/neighbours.sql is not there");
    auto& world = DifferentialWorld::Instance();
    world.cluster().Sql(harness::kMailDatabase, world.Fill(text));
  }

  void StartService(int connections) {
    PostfixInstance::Options options;
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
    postfix_ = std::make_unique<PostfixInstance>(world_.NewDirectory(), options);
    postfix_->Start();
    AskStock();
  }

  // Each key in a session of its own: what is right does not depend on what was asked before.
  void AskStock() {
    if (!right_.empty()) return;
    for (const Neighbour& table : tables_) {
      for (const std::string& key : table.keys) {
        StockOracle stock(postfix_->config_directory(), postfix_->Table(table.name + ".cf"));
        right_[table.name + ' ' + key] = FromDirect(stock.Ask({key}, {true}).front());
      }
    }
  }

  std::string FileOf(const Neighbour& table) const { return postfix_->Table(table.name + ".cf"); }
  Tally Ask(ProxymapClient& client, const Neighbour& table, const std::string& key) const {
    return Judge(table, key, client.Lookup(FileOf(table), key));
  }
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
      if (ours.Is(Status::kOk) && stock.Is(Status::kNoKey)) tally.shown = 1;
    }
    tally.first =
        table.name + ' ' + key + ": stock " + Describe(stock) + ", proxymux " + Describe(ours);
    return tally;
  }

  // New sessions, when a test has spoilt those that are open.
  void EndSessions(ProxymapClient& client) {
    world_.cluster().Sql("postgres",
                         "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                         "WHERE usename = '" +
                             std::string(harness::kMailRole) + "'");
    ASSERT_TRUE(Eventually([&] {
      return std::all_of(tables_.begin(), tables_.end(), [&](const Neighbour& table) {
        return table.kind != Kind::kQuiet || Ask(client, table, table.keys[0]).Clean();
      });
    }));
  }

  int AdvisoryLocks() {
    return std::stoi(world_.cluster().Sql(
        harness::kMailDatabase, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"));
  }

  void Storm(int connections);

  DifferentialWorld& world_ = DifferentialWorld::Instance();
  const std::vector<Neighbour> tables_ = Neighbours();
  std::unique_ptr<PostfixInstance> postfix_;
  static std::map<std::string, Answered> right_;  // by table and key
};

std::map<std::string, Answered> NeighbourStorm::right_;

// The tables are worth something only if stock finds what they look for.
TEST_F(NeighbourStorm, StockAnswersEachTable) {
  StartService(1);
  const std::set<std::string> errors = {"sequence-seen", "broken"};
  for (const Neighbour& table : tables_) {
    for (const std::string& key : table.keys) {
      const Answered& right = right_.at(table.name + ' ' + key);
      EXPECT_EQ(right.IsError(), errors.contains(table.name))
          << table.name << ' ' << key << ": " << Describe(right);
    }
  }
  EXPECT_TRUE(right_.at("secured hidden@example.com").Is(Status::kNoKey));
  EXPECT_TRUE(right_.at("shared user@example.com").Is(Status::kOk));
  EXPECT_TRUE(right_.at("tenant-box hidden@example.com").Is(Status::kOk));
}

// One connection, one client: which neighbour is seen by which table.
TEST_F(NeighbourStorm, OneAfterTheOther) {
  StartService(1);
  ProxymapClient client(postfix_->SocketPath());
  Tally all;
  for (const Neighbour& changing : tables_) {
    if (changing.kind == Kind::kQuiet) continue;
    Tally of_one;
    std::string seen_by;
    for (const Neighbour& quiet : tables_) {
      if (quiet.kind != Kind::kQuiet) continue;
      Tally tally = Ask(client, changing, changing.keys[0]);
      for (const std::string& key : quiet.keys) tally.Add(Ask(client, quiet, key));
      if (!tally.Clean()) seen_by += ' ' + quiet.name;
      of_one.Add(tally);
    }
    EXPECT_TRUE(of_one.Clean()) << changing.name << ": " << of_one.wrong << " wrong ("
                                << of_one.shown << " rows that must be hidden), " << of_one.refused
                                << " refused of " << of_one.asked << "; seen by" << seen_by << "\n"
                                << of_one.first;
    all.Add(of_one);
    if (!of_one.Clean()) EndSessions(client);
  }
  std::cout << "one after the other: " << all.asked << " lookups, " << all.wrong << " wrong, "
            << all.shown << " hidden rows shown, " << all.refused << " refused" << std::endl;
}

void NeighbourStorm::Storm(int connections) {
  StartService(connections);
  const std::size_t lookups = FromEnvironment("PROXYMUX_STORM_LOOKUPS", 20);
  const std::uint64_t seed = FromEnvironment("PROXYMUX_DIFF_SEED", std::random_device()());
  struct Question {
    std::size_t table;
    std::string key;
  };
  std::vector<Question> questions;
  for (std::size_t table = 0; table < tables_.size(); ++table) {
    const auto& keys = tables_[table].keys;
    for (std::size_t i = 0; i < lookups; ++i) questions.push_back({table, keys[i % keys.size()]});
  }
  RandomSource random(seed);
  for (std::size_t i = questions.size(); i > 1; --i) {
    std::swap(questions[i - 1], questions[random.Below(i)]);
  }

  // In one thread: what was answered before what is then the order of the service, however busy the
  // machine is.
  struct Client {
    std::unique_ptr<ProxymapClient> connection;
    const Question* asked = nullptr;  // null: all were asked
    std::size_t turns = 0;            // that it waits for
    std::size_t before = 0;           // answers to others by then
  };
  std::size_t next = 0;
  std::size_t answered = 0;
  std::size_t most = 0;  // others answered in one turn
  std::vector<std::size_t> waiting(tables_.size());
  std::vector<Tally> tallies(tables_.size());
  const auto ask = [&](Client& client) {
    client.asked = next < questions.size() ? &questions[next++] : nullptr;
    if (client.asked == nullptr) return;
    const Neighbour& table = tables_[client.asked->table];
    const bool twice = right_.at(table.name + ' ' + client.asked->key).IsError();
    client.turns = (twice ? 2 : 1) * ++waiting[client.asked->table];
    client.before = answered;
    client.connection->Send(protocol::LookupRequest{FileOf(table), harness::kPostmapFlags,
                                                    harness::kPostmapFlags, client.asked->key});
  };
  const auto take = [&](Client& client) {
    const Question& question = *client.asked;
    tallies[question.table].Add(Judge(tables_[question.table], question.key,
                                      client.connection->Receive(protocol::RequestKind::kLookup)));
    --waiting[question.table];
    most = std::max(most, (answered++ - client.before) / client.turns);
    ask(client);
  };
  std::vector<Client> clients(kClients);
  std::vector<pollfd> sockets;
  for (Client& client : clients) {
    client.connection = std::make_unique<ProxymapClient>(postfix_->SocketPath());
    sockets.push_back({client.connection->socket().fd(), POLLIN, 0});
  }
  for (Client& client : clients) ask(client);
  while (answered < questions.size()) {
    ASSERT_GT(::poll(sockets.data(), sockets.size(), kPatienceMs), 0) << "nobody is answered";
    for (std::size_t n = 0; n < clients.size(); ++n) {
      if (sockets[n].revents == 0) continue;
      ASSERT_NE(clients[n].asked, nullptr) << "an answer that nobody waits for";
      take(clients[n]);
    }
  }

  Tally all;
  for (std::size_t table = 0; table < tables_.size(); ++table) {
    const Tally& of_one = tallies[table];
    EXPECT_TRUE(of_one.Clean()) << tables_[table].name << ": " << of_one.wrong << " wrong ("
                                << of_one.shown << " rows that must be hidden), " << of_one.refused
                                << " refused of " << of_one.asked << "\n"
                                << of_one.first;
    all.Add(of_one);
  }
  if (all.refused > 0) {
    for (const std::string& line : postfix_->LogLinesWith({"lookup failed"})) {
      ADD_FAILURE() << line;
    }
  }
  EXPECT_EQ(all.asked, questions.size()) << "not each lookup was answered";
  std::cout << "seed " << seed << ", " << connections << " connections: " << all.asked
            << " lookups of " << tables_.size() << " tables, " << all.wrong << " wrong, "
            << all.shown << " hidden rows shown, " << all.refused
            << " refused; in one turn at most " << most << " others were answered" << std::endl;

  EXPECT_LT(most, kMostRounds * kClients * static_cast<std::size_t>(connections))
      << "somebody starves";

  // The locks of those who left are given back when others need a session of their own. Until then
  // a session that nobody needs is kept, as stock keeps its own.
  EXPECT_TRUE(Eventually([&] {
    ProxymapClient client(postfix_->SocketPath());
    for (const char* other : {"path-stays", "path-by-set", "temporary", "counts"}) {
      client.Lookup(postfix_->Table(std::string(other) + ".cf"), "good@example.com");
    }
    return AdvisoryLocks() == 0;
  })) << AdvisoryLocks()
      << " locks are held while others ask";
}

TEST_F(NeighbourStorm, OnOneConnection) { Storm(1); }
TEST_F(NeighbourStorm, OnTwoConnections) { Storm(2); }
TEST_F(NeighbourStorm, OnFourConnections) { Storm(4); }

}  // namespace
}  // namespace proxymux::differential
