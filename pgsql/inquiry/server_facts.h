// What a server says of itself and of the session that asks it. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace proxymux::pgsql {

struct ServerFacts {
  std::string version;     // "15.18 (Debian 15.18-1)"
  int version_number = 0;  // 150018
  bool standby = false;    // in recovery
  std::string encoding;    // of the database
  std::string database;
  std::string role;
  int max_connections = 0;   // of the server
  int reserved = 0;          // of them, for superusers and roles with a right to them
  int role_limit = -1;       // of this role; -1: none
  int database_limit = -1;   // of this database; -1: none
  int used = 0;              // now, this session among them
  std::int32_t backend = 0;  // process id

  // Sessions that this role can have in this database, with nobody else's: whatever limit is the
  // lowest.
  int MostSessions() const;
};

// Gives one row, for any role. Works from PostgreSQL 10 on.
const std::string& ServerFactsSql();
// Nothing: it is not what ServerFactsSql() gives.
std::optional<ServerFacts> ParseServerFacts(const std::vector<std::optional<std::string>>& row);

}  // namespace proxymux::pgsql
