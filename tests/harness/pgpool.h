// A private Pgpool-II in front of a PostgreSQL server: its own settings, user list and port, run as
// user postgres. Clients log in as the mail schema's role with its password; so does Pgpool-II on
// the server. A server that goes away stays in use, as a site has it whose only server is restarted
// now and then.
//
// It is our child and dies with the object. Errors throw std::runtime_error.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/harness/process.h"

namespace proxymux::harness {

class Pgpool {
 public:
  struct Options {
    std::string clustering_mode = "streaming_replication";  // backend_clustering_mode
    int processes = 32;                 // num_init_children: one for each client
    std::vector<std::string> settings;  // further lines of pgpool.conf
  };

  // Makes `directory`, which must not exist yet; Start() starts it. The server is what listens on
  // that port of 127.0.0.1.
  Pgpool(std::string directory, int server_port) : Pgpool(directory, server_port, Options()) {}
  Pgpool(std::string directory, int server_port, const Options& options);
  ~Pgpool();

  void Start();  // returns when it takes connections
  void Stop();   // SIGINT: clients and servers are cut at once
  void Kill();   // SIGKILL, to every process of it
  bool Running() { return process_ && process_->Running(); }

  int port() const { return port_; }
  std::string TcpHost() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string log_path() const { return directory_ + "/log"; }

 private:
  const std::string directory_;
  const int port_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace proxymux::harness
