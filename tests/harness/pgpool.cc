#include "tests/harness/pgpool.h"

#include <libpq-fe.h>
#include <signal.h>

#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "tests/harness/mail_schema.h"
#include "tests/harness/postgres_user.h"
#include "tests/harness/socket.h"
#include "tests/harness/temp_directory.h"

namespace proxymux::harness {
namespace {

constexpr char kProgram[] = "/usr/sbin/pgpool";

bool TakesSessions(int port) {
  const std::string conninfo = "host=127.0.0.1 port=" + std::to_string(port) +
                               " user=" + kMailRole + " password='" + kMailPassword +
                               "' dbname=" + kMailDatabase + " connect_timeout=10";
  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(PQconnectdb(conninfo.c_str()),
                                                                &PQfinish);
  return PQstatus(connection.get()) == CONNECTION_OK;
}

}  // namespace

Pgpool::Pgpool(std::string directory, int server_port, const Options& options)
    : directory_(std::move(directory)), port_(FreePort()) {
  if (!std::filesystem::exists(kProgram)) {
    throw std::runtime_error("no Pgpool-II: run scripts/setup");
  }
  MakePostgresDirectory(directory_);
  std::ostringstream text;
  text << "backend_clustering_mode = '" << options.clustering_mode << "'\n"
       << "listen_addresses = '127.0.0.1'\nport = " << port_ << '\n'
       << "socket_dir = '" << directory_ << "'\n"
       << "pcp_port = " << FreePort() << "\npcp_listen_addresses = '127.0.0.1'\n"
       << "pcp_socket_dir = '" << directory_ << "'\n"
       << "wd_ipc_socket_dir = '" << directory_ << "'\n"
       << "pid_file_name = '" << directory_ << "/pid'\n"
       << "logdir = '" << directory_ << "'\n"
       << "backend_hostname0 = '127.0.0.1'\nbackend_port0 = " << server_port << '\n'
       << "backend_flag0 = 'ALWAYS_PRIMARY|DISALLOW_TO_FAILOVER'\n"
       << "failover_on_backend_error = off\n"
       << "sr_check_period = 0\n"
       << "num_init_children = " << options.processes << '\n'
       << "enable_pool_hba = on\n";
  for (const std::string& line : options.settings) text << line << '\n';
  WriteFile(directory_ + "/pgpool.conf", text.str());
  WriteFile(directory_ + "/pcp.conf", "");
  WriteFile(directory_ + "/pool_hba.conf", "host all all 127.0.0.1/32 scram-sha-256\n");
  WriteFile(directory_ + "/pool_passwd", std::string(kMailRole) + ":TEXT" + kMailPassword + '\n');
}

Pgpool::~Pgpool() {
  if (Running()) Kill();
}

void Pgpool::Start() {
  if (Running()) return;
  std::filesystem::remove(directory_ + "/pid");  // of one that was killed
  // With an IPC namespace of its own: one that is killed leaves 139 MB of shared memory behind,
  // which goes with the namespace.
  CommandOptions options = AsPostgres(directory_);
  const std::string user = std::exchange(options.user, "");
  process_ = std::make_unique<ChildProcess>(
      std::vector<std::string>{"unshare", "--ipc", "setpriv", "--reuid=" + user, "--regid=" + user,
                               "--init-groups", kProgram, "-n", "-f", directory_ + "/pgpool.conf",
                               "-F", directory_ + "/pcp.conf", "-a", directory_ + "/pool_hba.conf"},
      log_path(), options);
  const bool answers = Eventually([&] { return !process_->Running() || TakesSessions(port_); });
  if (!answers || !process_->Running()) {
    throw std::runtime_error("Pgpool-II does not start:\n" + ReadFile(log_path()));
  }
}

void Pgpool::Stop() {
  if (!process_) return;
  process_->Signal(SIGINT);
  if (process_->Wait(seconds(2))) return;
  // Its fast shutdown hangs now and then, and so, more rarely, does its immediate one; who restarts
  // it does not wait for that, and a service manager kills it in the end.
  process_->Signal(SIGQUIT);
  if (!process_->Wait(seconds(5))) Kill();
}

void Pgpool::Kill() {
  if (!process_) return;
  process_->Signal(SIGKILL);
  process_->Wait();
  EndProcessesIn(directory_);
}

}  // namespace proxymux::harness
