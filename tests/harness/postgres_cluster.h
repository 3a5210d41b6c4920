// A throwaway PostgreSQL server: initdb in a directory of the test, run as user postgres, reachable
// over 127.0.0.1 (or another address of this machine) and a UNIX socket. The superuser `postgres`
// needs no password; every other role does (scram-sha-256). Nothing is made durable.
//
// The server is our child and dies with the object. Errors throw std::runtime_error.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/harness/postgres_user.h"
#include "tests/harness/process.h"

namespace proxymux::harness {

class PostgresCluster {
 public:
  struct Options {
    int max_connections = 100;
    std::vector<std::string> settings;  // further lines of postgresql.conf
    int port = 0;                       // 0: a free one
    std::string address = "127.0.0.1";  // listened on, beside the UNIX socket
  };

  // Makes the cluster in `directory`, which must not exist yet; Start() starts it.
  explicit PostgresCluster(std::string directory)
      : PostgresCluster(std::move(directory), Options()) {}
  PostgresCluster(std::string directory, const Options& options);
  // A streaming standby of `primary`, which must run: a base backup of it.
  PostgresCluster(std::string directory, PostgresCluster& primary, int port = 0);
  ~PostgresCluster();

  void Start();          // returns when it answers queries
  void StartRefusing();  // runs, but refuses every session (57P03) as one does that is starting up
  // "smart": no new sessions; it ends by itself after the last one.
  void BeginSmartStop();
  void Stop();           // "fast": sessions are told
  void StopImmediate();  // sessions are cut
  void Kill();           // SIGKILL to every process of it
  // SIGKILL to the client sessions of a role, of which there must be one: the server takes that for
  // a crash, ends all others and starts again. Returns when it takes connections again.
  void KillBackends(const std::string& role);
  void Freeze();  // SIGSTOP to every process of it: sockets stay open, nothing answers
  void Thaw();
  bool Running() { return server_ && server_->Running(); }
  void Promote();  // from standby to primary; returns when it writes
  // Stopped "fast" before the standby `primary` was promoted, it starts as a standby of that one.
  void Follow(PostgresCluster& primary);

  // Runs SQL as the superuser; the first column of the last result's first row, or "".
  std::string Sql(const std::string& database, const std::string& text);
  // Client sessions of a role just now.
  int ConnectionCount(const std::string& role);
  // The processes behind them.
  std::vector<pid_t> BackendPids(const std::string& role);

  int port() const { return port_; }
  const std::string& address() const { return address_; }  // of the machine
  std::string TcpHost() const { return address_ + ":" + std::to_string(port_); }
  // Holds .s.PGSQL.PORT and .s.PGSQL.5432, so that it can be named as a host without a port.
  const std::string& socket_directory() const { return directory_; }
  std::string log_path() const { return directory_ + "/log"; }

 private:
  void ReachableAt();  // settings and links for its own sockets
  void Launch(const std::vector<std::string>& more);
  void SignalAll(int number);

  std::string directory_;  // holds the sockets, the log and data/
  std::string address_;
  int port_;
  std::unique_ptr<ChildProcess> server_;
};

}  // namespace proxymux::harness
