// Neighbours of all kinds in one pool, asked by many clients at once: every answer is what stock
// gives, who has a connection for each table, nobody starves, and nothing that one table leaves
// behind is seen by another.
//
// From the environment: PROXYMUX_STORM_LOOKUPS (of each table, 20), PROXYMUX_DIFF_SEED (of the
// order in which they are asked; else taken at random, and printed).
#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "protocol/request.h"
#include "tests/differential/neighbour_world.h"
#include "tests/differential/neighbours.h"
#include "tests/differential/random_source.h"
#include "tests/harness/deadline.h"
#include "tests/harness/mail_schema.h"
#include "tests/harness/proxymap_client.h"

namespace proxymux::differential {
namespace {

using harness::Eventually;
using harness::ProxymapClient;

constexpr int kClients = 24;

// Tables take turns, and a lookup waits for a turn of its own after those of the same table that
// wait before it; what the server refuses is asked once more and waits for a second one. For each
// of these turns each connection may answer all others so many times: how fast the one is on which
// nothing has to be made anew, nobody knows. Up to three were seen, and more than ten where slow
// lookups starved.
constexpr std::size_t kMostRounds = 4;

// For one answer, however slow the machine is.
constexpr int kPatienceMs = 10 * 60 * 1000;

class NeighbourStorm : public NeighbourWorld {
 protected:
  int AdvisoryLocks() {
    return std::stoi(world_.cluster().Sql(
        harness::kMailDatabase, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"));
  }

  void Storm(int connections);
};

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
