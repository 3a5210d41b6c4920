#include "pgsql/inquiry/server_facts.h"

#include <algorithm>
#include <charconv>

namespace proxymux::pgsql {
namespace {

constexpr char kSql[] = R"sql(SELECT
  pg_catalog.current_setting('server_version'),
  pg_catalog.current_setting('server_version_num'),
  pg_catalog.pg_is_in_recovery(),
  pg_catalog.current_setting('server_encoding'),
  pg_catalog.current_database(),
  current_user,
  pg_catalog.current_setting('max_connections'),
  (SELECT pg_catalog.sum(setting::pg_catalog.int8) FROM pg_catalog.pg_settings
   WHERE name = ANY ('{superuser_reserved_connections,reserved_connections}')),
  (SELECT rolconnlimit FROM pg_catalog.pg_roles WHERE rolname = current_user),
  (SELECT datconnlimit FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()),
  (SELECT pg_catalog.sum(numbackends) FROM pg_catalog.pg_stat_database),
  pg_catalog.pg_backend_pid())sql";

// Takes column after column.
class Columns {
 public:
  explicit Columns(const std::vector<std::optional<std::string>>& row) : row_(row) {}

  std::string Text() {
    if (at_ >= row_.size() || !row_[at_].has_value()) {
      good_ = false;
      return {};
    }
    return *row_[at_++];
  }
  int Number() {
    const std::string text = Text();
    int number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) good_ = false;
    return number;
  }
  bool good() const { return good_ && at_ == row_.size(); }

 private:
  const std::vector<std::optional<std::string>>& row_;
  std::size_t at_ = 0;
  bool good_ = true;
};

}  // namespace

int ServerFacts::MostSessions() const {
  int most = std::max(0, max_connections - reserved);
  if (role_limit >= 0) most = std::min(most, role_limit);
  if (database_limit >= 0) most = std::min(most, database_limit);
  return most;
}

const std::string& ServerFactsSql() {
  static const std::string sql = kSql;
  return sql;
}

std::optional<ServerFacts> ParseServerFacts(const std::vector<std::optional<std::string>>& row) {
  Columns columns(row);
  ServerFacts facts;
  facts.version = columns.Text();
  facts.version_number = columns.Number();
  facts.standby = columns.Text() == "t";
  facts.encoding = columns.Text();
  facts.database = columns.Text();
  facts.role = columns.Text();
  facts.max_connections = columns.Number();
  facts.reserved = columns.Number();
  facts.role_limit = columns.Number();
  facts.database_limit = columns.Number();
  facts.used = columns.Number();
  facts.backend = columns.Number();
  if (!columns.good()) return std::nullopt;
  return facts;
}

}  // namespace proxymux::pgsql
