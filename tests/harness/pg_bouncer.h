// A private PgBouncer in front of a PostgresCluster: its own settings, user list and port, run as
// user postgres. Clients log in as the mail schema's role with its password; so does PgBouncer on
// the server.
//
// It is our child and dies with the object. Errors throw std::runtime_error.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/harness/postgres_cluster.h"
#include "tests/harness/process.h"

namespace proxymux::harness {

class PgBouncer {
 public:
  struct Options {
    std::string pool_mode = "session";  // or transaction, statement
    int default_pool_size = 20;
    std::vector<std::string> settings;  // further lines of the section [pgbouncer]
  };

  // Between stock's processes and a server. Each of them wants a connection for every table: in the
  // mode `session`, with 20 in all, those that have one may wait for each other's for ever.
  static Options ForStock() { return {"transaction", 20, {}}; }

  // Makes `directory`, which must not exist yet; Start() starts it.
  PgBouncer(std::string directory, const PostgresCluster& server, const Options& options)
      : PgBouncer(std::move(directory), server.address(), server.port(), options) {}
  // Of whatever listens on that port of 127.0.0.1.
  PgBouncer(std::string directory, int server_port, const Options& options)
      : PgBouncer(std::move(directory), "127.0.0.1", server_port, options) {}
  ~PgBouncer();

  // Other settings, for the next Start().
  void Configure(const Options& options);

  void Start();  // returns when it takes connections
  void Stop();   // clients and servers are cut at once
  void Kill();   // SIGKILL
  bool Running() { return process_ && process_->Running(); }

  // A command of the admin console, such as RECONNECT.
  void Admin(const std::string& command);
  // One column of what such a command shows, top to bottom.
  std::vector<std::string> Show(const std::string& command, const std::string& column);

  int port() const { return port_; }
  std::string TcpHost() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string log_path() const { return directory_ + "/log"; }

 private:
  PgBouncer(std::string directory, std::string server_address, int server_port,
            const Options& options);

  std::string directory_;
  std::string server_address_;
  int server_port_;
  int port_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace proxymux::harness
