#include "pgsql/libpq/pg_server_parameters.h"

#include <cstring>
#include <optional>

namespace proxymux::pgsql {

bool SuitsTarget(const PGconn* connection, std::string_view wanted) {
  if (wanted.empty()) return true;
  const auto is_on = [connection](const char* name) -> std::optional<bool> {
    const char* const value = PQparameterStatus(connection, name);
    if (value == nullptr) return std::nullopt;
    return std::strcmp(value, "on") == 0;
  };
  const std::optional<bool> standby = is_on("in_hot_standby");
  const std::optional<bool> read_only = is_on("default_transaction_read_only");
  if (!standby.has_value() || !read_only.has_value()) return true;
  if (wanted == "primary") return !*standby;
  if (wanted == "standby") return *standby;
  if (wanted == "read-write") return !*standby && !*read_only;
  if (wanted == "read-only") return *standby || *read_only;
  return true;
}

std::string ServerVersion(const PGconn* connection) {
  constexpr std::size_t kLongest = 64;
  const char* const value = PQparameterStatus(connection, "server_version");
  std::string version;
  for (const char* c = value; c != nullptr && *c != '\0' && version.size() < kLongest; ++c) {
    if (*c > ' ' && *c <= '~') version += *c;
    if (*c == ' ' && !version.empty()) version += *c;
  }
  return version;
}

}  // namespace proxymux::pgsql
