// A private HAProxy in front of PostgreSQL servers, as a site has it that wants one address: TCP
// mode, each server checked, sessions of one that is marked down are ended. Run as user postgres.
//
// It is our child and dies with the object. Errors throw std::runtime_error.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/harness/process.h"

namespace proxymux::harness {

class HaProxy {
 public:
  struct Server {
    std::string name;
    std::string address;  // HOST:PORT
    bool backup = false;  // only when no other one is up
    int check_port = 0;   // 0: that of `address`
  };
  struct Options {
    std::vector<Server> servers;
    // How servers are checked: lines of its proxy. A connect by default.
    std::vector<std::string> check = {"option tcp-check"};
    std::string interval = "1s";  // between two checks; three failures mark a server down
  };

  // Makes `directory`, which must not exist yet; Start() starts it.
  HaProxy(std::string directory, const Options& options);
  ~HaProxy();

  void Start();  // returns when its servers have been checked
  void Stop();   // SIGTERM: sessions are cut at once
  void Kill();   // SIGKILL
  bool Running() { return process_ && process_->Running(); }

  // A command of its socket (level admin), such as "set server mail/first state drain"; what it
  // says.
  std::string Command(const std::string& text) const;
  // UP, DOWN, DRAIN, MAINT and the like.
  std::string StateOf(const std::string& server) const;

  int port() const { return port_; }
  std::string TcpHost() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  const std::string directory_;
  const int port_;
  const std::vector<Server> servers_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace proxymux::harness
