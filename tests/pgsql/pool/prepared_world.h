// A pool and a table whose lookups are prepared statements on it: the common ground of the tests of
// these.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "pgsql/pool/connection_pool.h"
#include "tests/pgsql/pool/pool_world.h"

namespace proxymux::pgsql {

inline constexpr char kQuery[] = "SELECT v FROM t WHERE k = '%s'";

class PreparedWorld : public PoolWorld {
 public:
  explicit PreparedWorld(int connections = 1) : PoolWorld(Connections(connections)) {}

  fakes::ScriptedUpstream& connection() { return Connection(0); }

  std::shared_ptr<TableBinding> table =
      Table(kQuery, WriteClass::kReads, config::StatementMode::kAuto);
};

// A lookup that was answered as a prepared statement on the only connection.
inline void Warm(PreparedWorld& world) {
  const auto client = world.Look("warm", world.table);
  world.Turn();
  world.connection().AnswerEverything("v");
  ASSERT_EQ(client->value, "v");
}

}  // namespace proxymux::pgsql
