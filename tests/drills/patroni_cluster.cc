#include "tests/drills/patroni_cluster.h"

#include <signal.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <vector>

#include "tests/harness/deadline.h"
#include "tests/harness/postgres_user.h"
#include "tests/harness/socket.h"
#include "tests/harness/temp_directory.h"

namespace proxymux::drills {
namespace {

using harness::AsPostgres;
using harness::ChildProcess;
using harness::Eventually;
using harness::FreePort;
using harness::MakePostgresDirectory;
using harness::ProcessInfo;
using harness::ReadFile;
using harness::RunOrThrow;
using harness::RunSql;
using harness::TcpGate;
using harness::WriteFile;
using Json = nlohmann::json;

constexpr char kScope[] = "mail";
constexpr char kEtcd[] = "/usr/bin/etcd";
constexpr char kPatroni[] = "/usr/bin/patroni";
constexpr char kPatroniControl[] = "/usr/bin/patronictl";

std::string Loopback(int port) { return "127.0.0.1:" + std::to_string(port); }

}  // namespace

PatroniCluster::PatroniCluster(std::string directory) : directory_(std::move(directory)) {
  for (const char* program : {kEtcd, kPatroni, kPatroniControl}) {
    if (!std::filesystem::exists(program)) {
      throw std::runtime_error(std::string("no ") + program + ": run scripts/setup");
    }
  }
  MakePostgresDirectory(directory_);
  StartEtcd();
  for (std::size_t node = 0; node < kNodes; ++node) StartNode(node);
  AwaitComplete();
}

PatroniCluster::~PatroniCluster() {
  for (Node& node : nodes_) node.patroni.reset();
  harness::EndProcessesIn(directory_);
}

void PatroniCluster::StartEtcd() {
  const std::string data = directory_ + "/etcd";
  MakePostgresDirectory(data);
  etcd_port_ = FreePort();
  const std::string client = "http://" + Loopback(etcd_port_);
  const std::string peer = "http://" + Loopback(FreePort());
  etcd_ = std::make_unique<ChildProcess>(
      std::vector<std::string>{kEtcd, "--name", "etcd", "--data-dir", data + "/data",
                               "--listen-client-urls", client, "--advertise-client-urls", client,
                               "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                               "--initial-cluster", "etcd=" + peer, "--unsafe-no-fsync"},
      data + "/log", AsPostgres(data));
  Await("etcd does not start", [&] {
    return ReadFile(data + "/log").find("ready to serve client requests") != std::string::npos;
  });
}

// JSON is YAML.
void PatroniCluster::StartNode(std::size_t number) {
  Node& node = nodes_[number];
  node.directory = directory_ + "/" + NameOf(number);
  MakePostgresDirectory(node.directory);
  node.port = FreePort();
  const int rest_port = FreePort();
  node.clients = std::make_unique<TcpGate>(node.port);
  node.peers = std::make_unique<TcpGate>(node.port);
  node.rest = std::make_unique<TcpGate>(rest_port);
  node.etcd = std::make_unique<TcpGate>(etcd_port_);
  const Json config = {
      {"scope", kScope},
      {"name", NameOf(number)},
      {"restapi", {{"listen", Loopback(rest_port)}, {"connect_address", node.rest->TcpHost()}}},
      // What etcd says of its own address would lead past the gate.
      {"etcd3", {{"host", node.etcd->TcpHost()}, {"use_proxies", true}}},
      {"bootstrap",
       {{"dcs",
         {{"ttl", 20},
          {"loop_wait", 1},
          {"retry_timeout", 3},
          {"maximum_lag_on_failover", 1048576},
          {"postgresql", {{"use_pg_rewind", true}}}}},
        {"initdb",
         {{{"encoding", "UTF8"}}, {{"locale", "C.UTF-8"}}, "no-sync", "data-checksums"}}}},
      {"postgresql",
       {{"listen", Loopback(node.port)},
        {"connect_address", node.peers->TcpHost()},
        {"data_dir", node.directory + "/data"},
        {"bin_dir", harness::PostgresPrograms()},
        {"pgpass", node.directory + "/pgpass"},
        {"authentication",
         {{"superuser", {{"username", "postgres"}, {"password", "let me write"}}},
          {"replication", {{"username", "replicator"}, {"password", "let me follow"}}}}},
        {"parameters",
         {{"unix_socket_directories", node.directory},
          {"fsync", "off"},
          {"shared_buffers", "32MB"},
          {"wal_keep_size", "256MB"},
          {"max_connections", 50}}},
        {"pg_hba",
         {"local all all trust", "host all,replication postgres,replicator 127.0.0.1/32 trust",
          "host all all 127.0.0.1/32 scram-sha-256"}}}}};
  WriteFile(node.directory + "/patroni.yml", config.dump(2));
  StartPatroni(node);
}

void PatroniCluster::StartPatroni(Node& node) {
  node.patroni = std::make_unique<ChildProcess>(
      std::vector<std::string>{kPatroni, node.directory + "/patroni.yml"}, node.directory + "/log",
      AsPostgres(node.directory));
}

void PatroniCluster::Await(const std::string& what, const std::function<bool()>& condition) const {
  if (!Eventually(condition, harness::seconds(90))) throw std::runtime_error(what + ":\n" + Logs());
}

std::string PatroniCluster::Logs() const {
  std::string logs = ReadFile(directory_ + "/etcd/log");
  for (const Node& node : nodes_) {
    const std::string log = ReadFile(node.directory + "/log");
    constexpr std::size_t kShown = 6000;
    logs += "\n" + node.directory + ":\n" +
            (log.size() > kShown ? log.substr(log.size() - kShown) : log);
  }
  constexpr std::size_t kAll = 25000;
  return logs.size() > kAll ? logs.substr(logs.size() - kAll) : logs;
}

std::string PatroniCluster::Sql(std::size_t node, const std::string& database,
                                const std::string& text) const {
  return RunSql("host=127.0.0.1 port=" + std::to_string(nodes_[node].port) +
                    " user=postgres connect_timeout=3 dbname=" + database,
                text);
}

// A server that is being started or stopped does not.
bool PatroniCluster::TakesWrites(std::size_t node) const {
  if (nodes_[node].apart) return false;
  try {
    return Sql(node, "postgres", "SELECT pg_is_in_recovery()") == "f";
  } catch (const std::runtime_error&) {
    return false;
  }
}

std::size_t PatroniCluster::Primary() {
  std::size_t primary = kNodes;
  Await("no primary", [&] {
    for (std::size_t node = 0; node < kNodes; ++node) {
      if (TakesWrites(node)) primary = node;
    }
    return primary < kNodes;
  });
  return primary;
}

void PatroniCluster::AwaitComplete() {
  Await("a standby does not follow", [&] {
    const std::size_t primary = Primary();
    try {
      return Sql(primary, "postgres",
                 "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND usename ="
                 " 'replicator' AND application_name LIKE 'node%'") == std::to_string(kNodes - 1);
    } catch (const std::runtime_error&) {
      return false;
    }
  });
}

void PatroniCluster::SwitchOver() {
  const std::size_t from = Primary();
  const std::size_t to = (from + 1) % kNodes;
  RunOrThrow({kPatroniControl, "-c", nodes_[to].directory + "/patroni.yml", "switchover",
              "--leader", NameOf(from), "--candidate", NameOf(to), "--force", kScope},
             AsPostgres(directory_));
  Await("no switchover", [&] { return TakesWrites(to); });
}

void PatroniCluster::KillServer(std::size_t node) {
  for (const ProcessInfo& process : harness::ProcessesIn(nodes_[node].directory + "/data")) {
    ::kill(process.pid, SIGKILL);
  }
}

void PatroniCluster::KillPatroni(std::size_t number) {
  Node& node = nodes_[number];
  node.apart = true;
  node.patroni->Signal(SIGKILL);
  node.patroni->Wait();
}

void PatroniCluster::CutOff(std::size_t number, From from) {
  Node& node = nodes_[number];
  node.apart = true;
  std::vector<TcpGate*> gates = {node.etcd.get()};
  if (from == From::kAll) gates = {gates[0], node.clients.get(), node.peers.get(), node.rest.get()};
  for (TcpGate* gate : gates) {
    gate->SetNewcomers(TcpGate::Newcomers::kIgnored);
    gate->Cut(TcpGate::Ending::kSilence);
  }
}

void PatroniCluster::Rejoin(std::size_t number) {
  Node& node = nodes_[number];
  for (TcpGate* gate : {node.etcd.get(), node.clients.get(), node.peers.get(), node.rest.get()}) {
    gate->Open();
  }
  if (!node.patroni->Running()) StartPatroni(node);
  node.apart = false;
}

}  // namespace proxymux::drills
