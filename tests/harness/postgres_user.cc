#include "tests/harness/postgres_user.h"

#include <libpq-fe.h>
#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>

namespace proxymux::harness {

void MakePostgresDirectory(const std::string& directory) {
  std::filesystem::create_directory(directory);
  const passwd* owner = ::getpwnam("postgres");
  if (owner == nullptr) throw std::runtime_error("no user postgres: run scripts/setup");
  if (::chown(directory.c_str(), owner->pw_uid, owner->pw_gid) != 0) {
    throw std::runtime_error("cannot give " + directory + " to postgres: run as root");
  }
}

CommandOptions AsPostgres(const std::string& directory) {
  CommandOptions options;
  options.user = "postgres";
  options.directory = directory;
  return options;
}

std::string PostgresPrograms() {
  std::string best;
  int best_version = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/postgresql")) {
    const int version = std::atoi(entry.path().filename().c_str());
    const std::string path = entry.path().string() + "/bin";
    if (version > best_version && std::filesystem::exists(path + "/postgres")) {
      best = path;
      best_version = version;
    }
  }
  if (best.empty()) throw std::runtime_error("no PostgreSQL server installed: run scripts/setup");
  return best;
}

std::string RunSql(const std::string& conninfo, const std::string& text) {
  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(PQconnectdb(conninfo.c_str()),
                                                                &PQfinish);
  if (PQstatus(connection.get()) != CONNECTION_OK) {
    throw std::runtime_error("SQL failed: " + std::string(PQerrorMessage(connection.get())));
  }
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection.get(), text.c_str()),
                                                             &PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
    throw std::runtime_error("SQL failed: " + std::string(PQerrorMessage(connection.get())));
  }
  return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

}  // namespace proxymux::harness
