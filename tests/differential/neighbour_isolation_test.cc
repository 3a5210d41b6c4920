// Neighbours of all kinds on one connection, one after the other: every answer is what stock gives,
// who has a connection for each table, and nothing that one table leaves behind is seen by another.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <set>
#include <string>

#include "protocol/reply.h"
#include "tests/differential/answered.h"
#include "tests/differential/neighbour_world.h"
#include "tests/differential/neighbours.h"
#include "tests/harness/deadline.h"
#include "tests/harness/mail_schema.h"
#include "tests/harness/proxymap_client.h"

namespace proxymux::differential {
namespace {

using harness::Eventually;
using harness::ProxymapClient;
using protocol::Status;
using Kind = Neighbour::Kind;

class NeighbourIsolation : public NeighbourWorld {
 protected:
  Tally Ask(ProxymapClient& client, const Neighbour& table, const std::string& key) const {
    return Judge(table, key, client.Lookup(FileOf(table), key));
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
};

// The tables are worth something only if stock finds what they look for.
TEST_F(NeighbourIsolation, StockAnswersEachTable) {
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
TEST_F(NeighbourIsolation, OneAfterTheOther) {
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

}  // namespace
}  // namespace proxymux::differential
