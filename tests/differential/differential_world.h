// What the programs of the differential suite share: a PostgreSQL server with the data of
// schema.sql, and a directory for private Postfix instances.
#pragma once

#include <ios>
#include <mutex>
#include <set>
#include <string>

#include "tests/differential/differential_table.h"
#include "tests/harness/postgres_cluster.h"
#include "tests/harness/temp_directory.h"

namespace proxymux::differential {

class DifferentialWorld {
 public:
  // Made at the first call (some seconds), ended with the program.
  static DifferentialWorld& Instance();

  harness::PostgresCluster& cluster() { return cluster_; }
  // Whether the server listens on ::1 too.
  bool HasIpv6() const { return ipv6_; }
  // A name below the world's directory that no one has used.
  std::string NewDirectory();
  // The text with every placeholder but @DIRECTORY@ filled in.
  std::string Fill(std::string text) const;
  // Whether an error text of a client is one that the server gave the statement: SQLSTATE class 42,
  // 3D000 or 3F000. The server's log has the codes, clients of libpq show only texts.
  bool IsStatementError(const std::string& messages);

 private:
  DifferentialWorld();

  harness::TempDirectory directory_;
  harness::PostgresCluster cluster_;
  int directories_ = 0;
  std::mutex log_mutex_;
  std::streamoff log_read_ = 0;
  std::set<std::string> statement_errors_;  // their plain text
  bool ipv6_;
};

void ReplaceAll(std::string& text, const std::string& from, const std::string& to);

}  // namespace proxymux::differential
