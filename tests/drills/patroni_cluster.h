// Three PostgreSQL servers that Patroni keeps as one primary and two standbys, with an etcd of its
// own, all on loopback and run as user postgres.
//
// Each node has gates (tcp_gate.h): that clients go through to its server, that the other nodes go
// through to it, that whoever asks its Patroni goes through, and that its Patroni goes through to
// etcd. A node whose gates are silent is cut off: nobody is told, and its Patroni gives up the
// primary's part when its lease is over (ttl, 20 s, the least that Patroni takes), while the others
// choose another one.
//
// All of it dies with the object. Errors throw std::runtime_error.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "tests/harness/process.h"
#include "tests/harness/tcp_gate.h"

namespace proxymux::drills {

class PatroniCluster {
 public:
  static constexpr std::size_t kNodes = 3;

  // Makes `directory`, which must not exist yet, and starts everything; returns when there is a
  // primary and both standbys follow it.
  explicit PatroniCluster(std::string directory);
  ~PatroniCluster();

  // The node whose server takes writes just now. Those that are cut off, or whose Patroni was
  // killed, do not count. Waits for one.
  std::size_t Primary();
  // Waits until there is one and all others follow it.
  void AwaitComplete();

  // `patronictl switchover` to one of the standbys; returns when it is the primary.
  void SwitchOver();
  // SIGKILL to every process of a node's server. Its Patroni starts it again.
  void KillServer(std::size_t node);
  // SIGKILL to a node's Patroni: its server goes on, as a primary too, until Rejoin().
  void KillPatroni(std::size_t node);
  enum class From { kEtcd, kAll };
  // No byte passes from now on between the node and etcd; or, with kAll, from any other to the node
  // either. It still reaches the other nodes.
  void CutOff(std::size_t node, From from);
  void Rejoin(std::size_t node);  // whatever was done to it

  std::string Sql(std::size_t node, const std::string& database, const std::string& text) const;
  // What clients name: HOST:PORT of the node's gate.
  std::string TcpHost(std::size_t node) const { return nodes_[node].clients->TcpHost(); }
  int server_port(std::size_t node) const { return nodes_[node].port; }
  // Where its Patroni answers GET /primary and the like.
  int rest_port(std::size_t node) const { return nodes_[node].rest->port(); }
  std::string Logs() const;

 private:
  struct Node {
    std::string directory;
    int port = 0;
    bool apart = false;
    std::unique_ptr<harness::TcpGate> clients, peers, rest, etcd;
    std::unique_ptr<harness::ChildProcess> patroni;
  };

  static std::string NameOf(std::size_t node) { return "node" + std::to_string(node); }
  void StartEtcd();
  void StartNode(std::size_t node);
  void StartPatroni(Node& node);
  void Await(const std::string& what, const std::function<bool()>& condition) const;
  bool TakesWrites(std::size_t node) const;

  const std::string directory_;
  int etcd_port_ = 0;
  std::unique_ptr<harness::ChildProcess> etcd_;
  std::array<Node, kNodes> nodes_;
};

}  // namespace proxymux::drills
