// Where stock proxymap and proxymux are compared: one PostgreSQL with a table of many rows, reached
// over TCP with a password, and two Postfix instances on it that never run at the same time.
//
// A measurement starts an instance, asks one lookup, lets `proxymux bench` loose on it and stops
// the instance again, so that each begins without database connections. How many there are is seen
// in the server's processes at the end of the load.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/harness/postfix_instance.h"
#include "tests/harness/postgres_cluster.h"
#include "tests/harness/temp_directory.h"

namespace proxymux::bench {

inline constexpr int kTables = 5;  // files that ask the same database table

struct Sample {
  double lookups_per_second = 0;
  double p50_ms = 0, p99_ms = 0;
  double cpu_us = 0;        // processor time per lookup, the service and PostgreSQL
  double retry = 0;         // lookups that were answered RETRY
  double connections = 0;   // to the database, at the end
  double resident_mib = 0;  // of the service's own process; proxymux only
  double connected = 0;     // clients, idle ones included
};

class CompareWorld {
 public:
  explicit CompareWorld(int rows);

  // Runs the load on a fresh instance, once for each element of `loads` (words for `proxymux
  // bench`), `tables` of the table files in turn. Throws std::runtime_error when an answer was
  // wrong or lost.
  std::vector<Sample> Measure(harness::Service service,
                              const std::vector<std::vector<std::string>>& loads, int tables);

  // What the database itself does: pgbench, prepared, 4 connections, pipelines of 50; queries/s.
  double PgbenchQueriesPerSecond(int seconds);

  std::string Describe() const;  // machine and versions, for the report

 private:
  harness::PostfixInstance::Options Options(harness::Service service);
  std::string ServerPid() const;
  Sample RunBench(harness::PostfixInstance& postfix, harness::Service service,
                  const std::vector<std::string>& load, int tables);

  int rows_;
  harness::TempDirectory directory_;
  harness::PostgresCluster server_;
  harness::PostfixInstance stock_, proxymux_;
};

}  // namespace proxymux::bench
