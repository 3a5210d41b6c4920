#include "tests/integration/error_cases.h"

#include "tests/harness/mail_schema.h"
#include "tests/harness/socket.h"

namespace proxymux::integration {
namespace {

using pgsql::Fault;

// Errors that a query cannot bring about by itself: a function raises the code, as any user's may.
ErrorCase Raised(std::string_view rule, std::string_view code, Becomes becomes) {
  return {rule, code, "SELECT raise_error('" + std::string(code) + "')", becomes};
}

std::string Quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted.append(c == '\'' ? 2 : 1, c);
  return quoted + "'";
}

std::string Block(const std::string& statements) {
  return "DO $block$ BEGIN " + statements + " END $block$";
}

}  // namespace

Becomes BecomesOf(Fault fault) {
  switch (fault) {
    case Fault::kKey:
    case Fault::kUntyped:
    case Fault::kNotPreparable:
    case Fault::kVanished:  // raised by a function, it is raised again by the text
    case Fault::kStale:
    case Fault::kCancelled:  // not by us
      return Becomes::kRetry;
    case Fault::kStatement:
      return Becomes::kConfig;
    case Fault::kConflict:
    case Fault::kElsewhere:
    case Fault::kHostFull:  // the session goes on: the host is not to blame
    case Fault::kHost:
      return Becomes::kElsewhere;
    case Fault::kConnection:
      return Becomes::kMoved;
  }
  return Becomes::kRetry;
}

const std::vector<ErrorCase>& ErrorCases() {
  static const std::vector<ErrorCase> cases = {
      {"25001", "25001", "VACUUM alias", Becomes::kRetry, true},
      {"25006", "25006",
       Block("PERFORM set_config('transaction_read_only', 'on', true);"
             " INSERT INTO written VALUES (2);"),
       Becomes::kElsewhere, true},
      Raised("25P02", "25P02", Becomes::kMoved),
      Raised("25P03", "25P03", Becomes::kMoved),
      Raised("25P04", "25P04", Becomes::kMoved),
      {"26000", "26000", "EXECUTE nosuch", Becomes::kRetry, true},
      {"34000", "34000", "FETCH nosuch", Becomes::kRetry, true},
      {"3D000", "3D000", "SELECT has_database_privilege('nosuch', 'CONNECT')", Becomes::kConfig},
      {"3F000", "3F000", "SELECT nosuch.function()", Becomes::kConfig},
      Raised("40001", "40001", Becomes::kElsewhere),
      Raised("40P01", "40P01", Becomes::kElsewhere),
      {"42P05", "42P05",
       Block("EXECUTE 'PREPARE twice AS SELECT 1'; EXECUTE 'PREPARE twice AS SELECT 1';"),
       Becomes::kRetry, true},
      Raised("53300", "53300", Becomes::kElsewhere),
      {"57014", "57014", "SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(10)",
       Becomes::kRetry},
      // As a server says it, which ends the session, and as a function does.
      {"57P01", "57P01", "SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(10)",
       Becomes::kMoved},
      Raised("57P01", "57P01", Becomes::kElsewhere),
      Raised("57P02", "57P02", Becomes::kElsewhere),
      Raised("57P03", "57P03", Becomes::kElsewhere),
      Raised("57P04", "57P04", Becomes::kElsewhere),
      Raised("57P05", "57P05", Becomes::kMoved),

      {"08", "08001", "SELECT * FROM far_away", Becomes::kElsewhere},
      Raised("08", "08P01", Becomes::kElsewhere),
      {"0A", "0A000", "SELECT * FROM another.public.alias", Becomes::kRetry},
      {"21", "21000", "SELECT (SELECT n FROM generate_series(1, 2) n)", Becomes::kRetry},
      {"22", "22P02", "SELECT 'abc'::integer", Becomes::kRetry},
      {"22", "22012", "SELECT 1 / 0", Becomes::kRetry},
      {"23", "23505", "INSERT INTO written VALUES (1) RETURNING n", Becomes::kRetry, true},
      Raised("25", "25000", Becomes::kRetry),
      Raised("28", "28000", Becomes::kElsewhere),
      Raised("40", "40002", Becomes::kElsewhere),
      {"42", "42601", "SELEC 1", Becomes::kConfig},
      {"42", "42501", "SELECT secret FROM secrets", Becomes::kConfig},
      {"42", "42P01", "SELECT 1 FROM nosuch", Becomes::kConfig},
      {"42", "42703", "SELECT nosuch FROM alias", Becomes::kConfig},
      {"42", "42883", "SELECT nosuch('x')", Becomes::kConfig},
      Raised("53", "53100", Becomes::kElsewhere),
      Raised("53", "53200", Becomes::kElsewhere),
      {"54", "54001", "SELECT without_end(1)", Becomes::kRetry},
      {"54", "54000", "SELECT length(repeat('long', 1000000000))", Becomes::kRetry},
      {"55", "55000", "SELECT currval('numbers')", Becomes::kElsewhere},
      Raised("55", "55P03", Becomes::kElsewhere),
      Raised("57", "57000", Becomes::kElsewhere),
      {"58", "58P01", "SELECT pg_read_file('nosuch')", Becomes::kElsewhere},
      Raised("58", "58030", Becomes::kElsewhere),
      Raised("72", "72000", Becomes::kElsewhere),
      Raised("F0", "F0000", Becomes::kElsewhere),
      Raised("HV", "HV00N", Becomes::kElsewhere),
      Raised("P0", "P0001", Becomes::kRetry),
      Raised("XX", "XX000", Becomes::kElsewhere),
      Raised("XX", "XX001", Becomes::kElsewhere),
  };
  return cases;
}

void CreateTroubles(harness::PostgresCluster& cluster, bool armed) {
  const auto sql = [&](const std::string& text) { cluster.Sql(harness::kMailDatabase, text); };
  const std::string role = harness::kMailRole;
  // A server that nobody is at, for a failed connection behind the host.
  sql("CREATE EXTENSION postgres_fdw");
  sql("CREATE SERVER away FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '" +
      std::to_string(harness::FreePort()) + "')");
  sql("CREATE USER MAPPING FOR " + role + " SERVER away OPTIONS (password 'none')");
  sql("CREATE FOREIGN TABLE far_away (n integer) SERVER away");
  sql("CREATE TABLE troubles (name text PRIMARY KEY, statement text NOT NULL)");
  sql("CREATE TABLE written (n integer PRIMARY KEY); INSERT INTO written VALUES (1)");
  sql("CREATE TABLE secrets (secret text)");
  sql("CREATE SEQUENCE numbers");
  sql("GRANT USAGE ON numbers TO " + role + "; GRANT INSERT ON written TO " + role +
      "; GRANT SELECT ON far_away, troubles, written TO " + role +
      "; GRANT EXECUTE ON FUNCTION pg_read_file(text) TO " + role);
  sql("CREATE FUNCTION raise_error(code text) RETURNS text LANGUAGE plpgsql STABLE AS $$"
      " BEGIN RAISE EXCEPTION 'a function raised %', code USING ERRCODE = code; END $$");
  sql("CREATE FUNCTION without_end(n integer) RETURNS integer LANGUAGE plpgsql STABLE AS $$"
      " BEGIN RETURN 1 + without_end(n); END $$");
  for (const auto& [name, kind] :
       {std::pair("trouble", "STABLE"), std::pair("trouble_writing", "VOLATILE")}) {
    sql("CREATE FUNCTION " + std::string(name) + "(wanted text) RETURNS text LANGUAGE plpgsql " +
        kind +
        " AS $$ DECLARE what text; BEGIN"
        " SELECT statement INTO what FROM troubles WHERE name = wanted;"
        " IF what IS NULL THEN RETURN 'calm'; END IF;"
        " EXECUTE what; RETURN 'no error'; END $$");
  }
  if (!armed) return;
  for (std::size_t i = 0; i < ErrorCases().size(); ++i) {
    sql("INSERT INTO troubles VALUES ('" + std::to_string(i) + "', " +
        Quoted(ErrorCases()[i].statement) + ")");
  }
}

const std::vector<RefusalCase>& RefusalCases() {
  const std::string role = "ALTER ROLE " + std::string(harness::kMailRole) + " ";
  const std::string database = "ALTER DATABASE " + std::string(harness::kMailDatabase) + " ";
  const std::string end =
      "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
      " WHERE usename = '" +
      std::string(harness::kMailRole) + "'";
  static const std::vector<RefusalCase> cases = {
      {"28",
       "28P01",
       {role + "PASSWORD 'let nobody read'", end},
       {role + "PASSWORD '" + harness::kMailPassword + "'"},
       "password authentication failed"},
      {"28", "28000", {role + "NOLOGIN", end}, {role + "LOGIN"}, "is not permitted to log in"},
      {"3D000",
       "3D000",
       {database + "ALLOW_CONNECTIONS false", end, database + "RENAME TO moved",
        "ALTER DATABASE moved ALLOW_CONNECTIONS true"},
       {"ALTER DATABASE moved RENAME TO " + std::string(harness::kMailDatabase)},
       "does not exist"},
      {"42",
       "42501",
       {"REVOKE CONNECT ON DATABASE " + std::string(harness::kMailDatabase) + " FROM PUBLIC", end},
       {"GRANT CONNECT ON DATABASE " + std::string(harness::kMailDatabase) + " TO PUBLIC"},
       "permission denied for database"},
      {"53300",
       "53300",
       {role + "CONNECTION LIMIT 0", end},
       {role + "CONNECTION LIMIT -1"},
       "too many connections for role"},
      {"55",
       "55000",
       {database + "ALLOW_CONNECTIONS false", end},
       {database + "ALLOW_CONNECTIONS true"},
       "not currently accepting connections"},
  };
  return cases;
}

}  // namespace proxymux::integration
