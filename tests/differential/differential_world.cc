#include "tests/differential/differential_world.h"

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "tests/harness/mail_schema.h"
#include "tests/harness/socket.h"

namespace proxymux::differential {
namespace {

using harness::kMailDatabase;
using harness::kMailPassword;
using harness::kMailRole;

harness::PostgresCluster::Options ClusterOptions() {
  harness::PostgresCluster::Options options;
  // Stock keeps a connection for every table in every process.
  options.max_connections = 700;
  // Text that depends on the time zone must not depend on the machine. Errors are logged with their
  // SQLSTATE, see IsStatementError().
  options.settings = {"TimeZone = 'UTC'", "log_min_messages = error",
                      "log_min_error_statement = panic", "log_error_verbosity = terse",
                      "log_line_prefix = '%e '"};
  return options;
}

}  // namespace

void ReplaceAll(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at)) {
    text.replace(at, from.size(), to);
    at += to.size();
  }
}

DifferentialWorld& DifferentialWorld::Instance() {
  static DifferentialWorld world;
  return world;
}

DifferentialWorld::DifferentialWorld()
    : cluster_(directory_ / "pg", ClusterOptions()), ipv6_(harness::CanListenOnIpv6()) {
  const std::string data = cluster_.socket_directory() + "/data/";
  if (ipv6_) {
    std::ofstream(data + "postgresql.conf", std::ios::app)
        << "listen_addresses = '127.0.0.1, ::1'\n";
    std::ofstream(data + "pg_hba.conf", std::ios::app) << "host all all ::1/128 scram-sha-256\n";
  }
  cluster_.Start();
  const std::string role = kMailRole;
  cluster_.Sql("postgres",
               "CREATE ROLE " + role + " LOGIN PASSWORD '" + std::string(kMailPassword) + "'");
  cluster_.Sql("postgres", "CREATE DATABASE " + std::string(kMailDatabase));
  const std::string schema = harness::ReadFile("tests/differential/schema.sql");
  if (schema.empty()) throw std::runtime_error("tests/differential/schema.sql is not there");
  cluster_.Sql(kMailDatabase, Fill(schema));
}

std::string DifferentialWorld::NewDirectory() {
  return directory_ / std::to_string(++directories_);
}

std::string DifferentialWorld::Fill(std::string text) const {
  ReplaceAll(text, "@HOSTS@", cluster_.TcpHost());
  ReplaceAll(text, "@PORT@", std::to_string(cluster_.port()));
  ReplaceAll(text, "@SOCKETS@", cluster_.socket_directory());
  ReplaceAll(text, "@USER@", kMailRole);
  ReplaceAll(text, "@PASSWORD@", kMailPassword);
  ReplaceAll(text, "@DATABASE@", kMailDatabase);
  return text;
}

// Its plain text: postmap shows what cannot be printed as '?', and the log has an encoding of its
// own.
static std::string PlainText(const std::string& text) {
  std::string plain;
  for (const char byte : text) {
    const bool is_plain = byte >= ' ' && byte <= '~' && byte != '?';
    if (is_plain) plain += byte;
    if (!is_plain && !plain.ends_with('?')) plain += '?';
  }
  return plain;
}

bool DifferentialWorld::IsStatementError(const std::string& messages) {
  const std::lock_guard lock(log_mutex_);
  std::ifstream log(cluster_.log_path());
  log.seekg(log_read_);
  constexpr char kError[] = "ERROR:  ";
  for (std::string line; std::getline(log, line);) {
    log_read_ = log.tellg() < 0 ? log_read_ : static_cast<std::streamoff>(log.tellg());
    const std::size_t at = line.find(kError);
    if (at == std::string::npos) continue;
    const std::string code = line.substr(0, 5);
    if (!code.starts_with("42") && code != "3D000" && code != "3F000") continue;
    // With the place in the statement, which clients show in another way.
    const std::size_t end = std::min(line.rfind(" at character "), line.size());
    statement_errors_.insert(PlainText(line.substr(at, end - at)));
  }
  const std::string shown = PlainText(messages);
  return std::any_of(
      statement_errors_.begin(), statement_errors_.end(),
      [&](const std::string& error) { return shown.find(error) != std::string::npos; });
}

}  // namespace proxymux::differential
