#include "tests/harness/postgres_cluster.h"

#include <libpq-fe.h>
#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "tests/harness/postgres_user.h"
#include "tests/harness/socket.h"
#include "tests/harness/temp_directory.h"

namespace proxymux::harness {
namespace {

std::string ServerProgram(const std::string& name) { return PostgresPrograms() + "/" + name; }

std::string Conninfo(const std::string& directory, int port, const std::string& database) {
  return "host=" + directory + " port=" + std::to_string(port) +
         " user=postgres dbname=" + database + " connect_timeout=10";
}

}  // namespace

PostgresCluster::PostgresCluster(std::string directory, const Options& options)
    : directory_(std::move(directory)),
      address_(options.address),
      port_(options.port != 0 ? options.port : FreePort()) {
  MakePostgresDirectory(directory_);
  const std::string data = directory_ + "/data";
  RunOrThrow(
      {ServerProgram("initdb"), "-D", data, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8",
       "--no-sync", "--wal-segsize=1", "--auth=trust", "--no-instructions"},
      AsPostgres(directory_));
  WriteFile(data + "/pg_hba.conf",
            "local all,replication postgres trust\nhost all postgres 127.0.0.1/32 trust\n"
            "local all all scram-sha-256\nhost all all all scram-sha-256\n");
  std::ofstream settings(data + "/postgresql.conf", std::ios::app);
  settings << "max_connections = " << options.max_connections
           << "\nfsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"
              "autovacuum = off\nshared_buffers = 64MB\nlog_line_prefix = '%m [%p] %u '\n";
  for (const auto& line : options.settings) settings << line << '\n';
  settings.close();
  ReachableAt();
}

PostgresCluster::PostgresCluster(std::string directory, PostgresCluster& primary, int port)
    : directory_(std::move(directory)),
      address_(primary.address_),
      port_(port != 0 ? port : FreePort()) {
  MakePostgresDirectory(directory_);
  RunOrThrow({ServerProgram("pg_basebackup"), "-D", directory_ + "/data", "-h", primary.directory_,
              "-p", std::to_string(primary.port_), "-U", "postgres", "-R", "-X", "stream", "-c",
              "fast", "--no-sync"},
             AsPostgres(directory_));
  ReachableAt();
}

void PostgresCluster::ReachableAt() {
  std::ofstream settings(directory_ + "/data/postgresql.conf", std::ios::app);
  settings << "listen_addresses = '" << address_ << "'\nport = " << port_
           << "\nunix_socket_directories = '" << directory_ << "'\n";
  const std::string socket = "/.s.PGSQL.";
  if (port_ != 5432) {
    std::filesystem::create_symlink(directory_ + socket + std::to_string(port_),
                                    directory_ + socket + "5432");
  }
}

PostgresCluster::~PostgresCluster() {
  if (!Running()) return;
  Thaw();
  StopImmediate();
}

void PostgresCluster::Launch(const std::vector<std::string>& more) {
  std::vector<std::string> words = {ServerProgram("postgres"), "-D", directory_ + "/data"};
  words.insert(words.end(), more.begin(), more.end());
  server_ = std::make_unique<ChildProcess>(words, log_path(), AsPostgres(directory_ + "/data"));
}

void PostgresCluster::Start() {
  if (Running()) return;
  Launch({});
  const std::string conninfo = Conninfo(directory_, port_, "postgres");
  const bool answers =
      Eventually([&] { return !server_->Running() || PQping(conninfo.c_str()) == PQPING_OK; });
  if (!answers || !server_->Running()) {
    throw std::runtime_error("PostgreSQL does not start:\n" + ReadFile(log_path()));
  }
}

// A standby that nobody feeds never gets beyond starting up.
void PostgresCluster::StartRefusing() {
  const std::string signal = directory_ + "/data/standby.signal";
  WriteFile(signal, "");
  const std::size_t before = ReadFile(log_path()).size();
  Launch({"-c", "hot_standby=off"});
  // Any server refuses while it starts; only after this line has it read what is to be removed.
  const bool refuses = Eventually([&] {
    return ReadFile(log_path()).find("entering standby mode", before) != std::string::npos;
  });
  std::filesystem::remove(signal);
  if (!refuses) throw std::runtime_error("PostgreSQL does not refuse:\n" + ReadFile(log_path()));
}

void PostgresCluster::BeginSmartStop() {
  if (server_) server_->Signal(SIGTERM);
}

void PostgresCluster::Promote() {
  if (Sql("postgres", "SELECT pg_promote()") != "t") {
    throw std::runtime_error("PostgreSQL is not promoted:\n" + ReadFile(log_path()));
  }
}

void PostgresCluster::Follow(PostgresCluster& primary) {
  std::ofstream settings(directory_ + "/data/postgresql.conf", std::ios::app);
  settings << "primary_conninfo = 'host=" << primary.directory_ << " port=" << primary.port_
           << " user=postgres'\n";
  settings.close();
  WriteFile(directory_ + "/data/standby.signal", "");
  Start();
}

void PostgresCluster::Stop() {
  if (!server_) return;
  server_->Signal(SIGINT);
  if (!server_->Wait(seconds(30))) throw std::runtime_error("PostgreSQL does not stop");
}

void PostgresCluster::StopImmediate() {
  if (!server_) return;
  server_->Signal(SIGQUIT);
  if (!server_->Wait(seconds(30))) throw std::runtime_error("PostgreSQL does not stop");
}

void PostgresCluster::Kill() {
  SignalAll(SIGKILL);
  if (server_) server_->Wait();
  // The next start must not meet the shared memory of backends that are still on their way out.
  EndProcessesIn(directory_);
}

void PostgresCluster::KillBackends(const std::string& role) {
  const std::size_t before = ReadFile(log_path()).size();
  const std::vector<pid_t> pids = BackendPids(role);
  // The server ends the others itself as soon as it has seen one crash.
  if (pids.empty() || ::kill(pids.front(), SIGKILL) != 0) {
    throw std::runtime_error("no session of " + role + " to kill");
  }
  for (const pid_t pid : pids) ::kill(pid, SIGKILL);
  // Until then it may take a connection and end it with the others.
  const bool back = Eventually([&] {
    return ReadFile(log_path()).find("ready to accept connections", before) != std::string::npos;
  });
  if (!back) throw std::runtime_error("PostgreSQL does not recover:\n" + ReadFile(log_path()));
}

void PostgresCluster::Freeze() { SignalAll(SIGSTOP); }
void PostgresCluster::Thaw() { SignalAll(SIGCONT); }

void PostgresCluster::SignalAll(int number) {
  if (!Running()) return;
  // The postmaster first: frozen or dead it starts no new ones while we go through its children.
  server_->Signal(number);
  for (const auto& child : ChildrenOf(server_->pid())) ::kill(child.pid, number);
}

std::string PostgresCluster::Sql(const std::string& database, const std::string& text) {
  return RunSql(Conninfo(directory_, port_, database), text);
}

int PostgresCluster::ConnectionCount(const std::string& role) {
  return std::atoi(
      Sql("postgres", "SELECT count(*) FROM pg_stat_activity WHERE usename = '" + role + "'")
          .c_str());
}

std::vector<pid_t> PostgresCluster::BackendPids(const std::string& role) {
  std::istringstream list(Sql("postgres",
                              "SELECT coalesce(string_agg(pid::text, ' '), '') FROM "
                              "pg_stat_activity WHERE usename = '" +
                                  role + "'"));
  std::vector<pid_t> pids;
  for (pid_t pid; list >> pid;) pids.push_back(pid);
  return pids;
}

}  // namespace proxymux::harness
