// Where stock proxymap and proxymux are compared: one PostgreSQL with tables of many rows, reached
// over TCP with a password, and two Postfix instances on it that never run at the same time.
//
// A measurement starts an instance, asks one lookup, lets `proxymux bench` loose on it and stops
// the instance again, so that each begins without database connections.
//
// Errors throw std::runtime_error: an instance that does not start, an answer that was wrong or
// lost, a generator that takes too long. The instance is stopped all the same, and the next
// measurement can be made.
#pragma once

#include <string>
#include <vector>

#include "tests/bench/main_table.h"
#include "tests/bench/sample.h"
#include "tests/harness/pgpool.h"
#include "tests/harness/postfix_instance.h"
#include "tests/harness/postgres_cluster.h"
#include "tests/harness/temp_directory.h"

namespace proxymux::bench {

class RunningInstance;

class CompareWorld {
 public:
  static constexpr int kMostTables = kManyTables;  // files that ask the same database table

  struct Options {
    int rows = 1000000;
    std::vector<int> further_rows;  // tables of other sizes beside it
    int seconds = 10;               // of each measurement
    int warm_up_seconds = 1;        // under the same load
  };

  // How clients come to a service. Stock's figures depend on it: an idle process accepts every
  // client that comes before it has its first lookup, and serves them one after the other; more
  // processes are started only while none is idle.
  struct Arrival {
    double connect_rate = 0;    // clients/s; 0: as fast as the listen queue bears
    bool served_before = true;  // the same load ran shortly before, and its processes are there
  };

  // What is asked, and of whom.
  struct Trial {
    harness::Service service = harness::Service::kStock;
    std::vector<std::string> words;  // for `proxymux bench`: clients, keys
    int tables = 1;                  // this many table files in turn
    int rows = 0;                    // of the table of that size; 0: the large one
    std::string settings;            // proxymux.yaml
    int known = 0;                   // so many table files are asked before, and not then
    bool through_pgpool = false;     // one table, which is asked of Pgpool-II
  };

  explicit CompareWorld(const Options& options);

  void SetArrival(const Arrival& arrival) { arrival_ = arrival; }
  const Arrival& arrival() const { return arrival_; }
  void SetSeconds(int seconds) { options_.seconds = seconds; }
  const Options& options() const { return options_; }

  Sample Measure(const Trial& trial);
  // Both on one run of proxymux: 200 clients alone, and with so many idle ones beside them.
  std::vector<Sample> MeasureWithIdle(int idle);
  FairnessSample MeasureFairness(harness::Service service);
  // A server that only answers, with so many busy clients.
  Sample MeasureBare(int clients);

  // What the database itself does: pgbench, prepared, 4 connections, pipelines of 50; queries/s.
  double PgbenchQueriesPerSecond();

  std::string Describe() const;  // machine and versions, for the report

 private:
  harness::PostfixInstance::Options InstanceOptions(harness::Service service);
  void CreateTable(const std::string& name, int rows);
  std::string ServerPid() const;
  RunningInstance Start(harness::Service service, const std::string& file, const std::string& yaml);
  double ConnectRate(const std::vector<std::string>& words) const;
  std::vector<std::string> BenchWords(const RunningInstance& running, const Trial& trial,
                                      const std::vector<std::string>& files, int warm_up_seconds,
                                      int seconds) const;
  void ServeBefore(const RunningInstance& running, const Trial& trial,
                   const std::vector<std::string>& files) const;
  Sample RunBench(const RunningInstance& running, const std::vector<std::string>& words);

  Options options_;
  Arrival arrival_;
  harness::TempDirectory directory_;
  harness::PostgresCluster server_;
  harness::Pgpool pgpool_;  // started when it is first needed
  harness::PostfixInstance stock_, proxymux_;
};

}  // namespace proxymux::bench
