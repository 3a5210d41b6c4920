#include "tests/harness/pg_bouncer.h"

#include <libpq-fe.h>
#include <signal.h>

#include <filesystem>
#include <sstream>
#include <stdexcept>

#include "tests/harness/mail_schema.h"
#include "tests/harness/postgres_user.h"
#include "tests/harness/socket.h"
#include "tests/harness/temp_directory.h"

namespace proxymux::harness {
namespace {

constexpr char kProgram[] = "/usr/sbin/pgbouncer";
constexpr char kAdmin[] = "admin";

using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

Connection ConnectToConsole(int port) {
  const std::string conninfo = "host=127.0.0.1 port=" + std::to_string(port) + " user=" + kAdmin +
                               " password=" + kAdmin + " dbname=pgbouncer connect_timeout=10";
  return {PQconnectdb(conninfo.c_str()), &PQfinish};
}

Result RunInConsole(int port, const std::string& command) {
  const Connection connection = ConnectToConsole(port);
  Result result(PQexec(connection.get(), command.c_str()), &PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
    throw std::runtime_error(command + " failed: " + PQerrorMessage(connection.get()));
  }
  return result;
}

}  // namespace

PgBouncer::PgBouncer(std::string directory, std::string server_address, int server_port,
                     const Options& options)
    : directory_(std::move(directory)),
      server_address_(std::move(server_address)),
      server_port_(server_port),
      port_(FreePort()) {
  if (!std::filesystem::exists(kProgram)) {
    throw std::runtime_error("no PgBouncer: run scripts/setup");
  }
  MakePostgresDirectory(directory_);
  std::ostringstream users;
  users << '"' << kMailRole << "\" \"" << kMailPassword << "\"\n";
  users << '"' << kAdmin << "\" \"" << kAdmin << "\"\n";
  WriteFile(directory_ + "/users", users.str());
  Configure(options);
}

PgBouncer::~PgBouncer() {
  if (Running()) Kill();
}

void PgBouncer::Configure(const Options& options) {
  std::ostringstream text;
  text << "[databases]\n* = host=" << server_address_ << " port=" << server_port_
       << "\n[pgbouncer]\n"
       << "listen_addr = 127.0.0.1\nlisten_port = " << port_ << "\nunix_socket_dir =\n"
       << "auth_type = scram-sha-256\nauth_file = " << directory_ << "/users\n"
       << "admin_users = " << kAdmin << "\npool_mode = " << options.pool_mode
       << "\ndefault_pool_size = " << options.default_pool_size << '\n';
  for (const auto& line : options.settings) text << line << '\n';
  WriteFile(directory_ + "/pgbouncer.ini", text.str());
}

void PgBouncer::Start() {
  if (Running()) return;
  process_ = std::make_unique<ChildProcess>(
      std::vector<std::string>{kProgram, directory_ + "/pgbouncer.ini"}, log_path(),
      AsPostgres(directory_));
  const bool answers = Eventually([&] {
    return !process_->Running() || PQstatus(ConnectToConsole(port_).get()) == CONNECTION_OK;
  });
  if (!answers || !process_->Running()) {
    throw std::runtime_error("PgBouncer does not start:\n" + ReadFile(log_path()));
  }
}

void PgBouncer::Stop() {
  if (!process_) return;
  // What the signals mean has changed with 1.23, the console's command has not. It ends the
  // console's connection as well: there is no result.
  PQclear(PQexec(ConnectToConsole(port_).get(), "SHUTDOWN"));
  if (!process_->Wait(seconds(20))) throw std::runtime_error("PgBouncer does not stop");
}

void PgBouncer::Kill() {
  if (!process_) return;
  process_->Signal(SIGKILL);
  process_->Wait();
}

void PgBouncer::Admin(const std::string& command) { RunInConsole(port_, command); }

std::vector<std::string> PgBouncer::Show(const std::string& command, const std::string& column) {
  const Result result = RunInConsole(port_, command);
  const int number = PQfnumber(result.get(), column.c_str());
  if (number < 0) throw std::runtime_error(command + " has no column " + column);
  std::vector<std::string> values;
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    values.emplace_back(PQgetvalue(result.get(), row, number));
  }
  return values;
}

}  // namespace proxymux::harness
