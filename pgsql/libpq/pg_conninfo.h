// From a table's settings and one entry of its `hosts` to what libpq is to be told: the addresses
// to try and the connection parameters. Parses URIs and connection strings with libpq's own parser,
// so their meaning is libpq's.
//
// Precedence, as in pgsql_table(5) and PQsetdbLogin: a URI host stands for itself (user, password
// and dbname of the file are not used); for any other host a dbname that is a connection string
// gives the base, and a non-empty host, port, user and password override it. The pool's own
// settings (sslmode and the like), where set, override both.
//
// Where a URI's password was not encoded, libpq may take a part of it for a host or a database:
// such a plan is used as it is, as in stock, and named kHiddenHost.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "config/values/server_config.h"
#include "config/values/table_config.h"
#include "pgsql/table/host_spec.h"

namespace proxymux::pgsql {

// One place to connect to.
struct Endpoint {
  std::string
      host;  // name, numeric address, socket directory, or empty: libpq's default socket directory
  std::string hostaddr;  // a numeric address that a URI gave; then `host` is not resolved
  std::string port;      // empty: libpq's default

  // A TCP host name that must be resolved by us first, since libpq would block on it.
  bool NeedsResolving() const;
};

struct ConnectPlan {
  // The setting of the table that most of it stands in.
  enum class From {
    kSettings,  // each in its own
    kUri,       // an entry of `hosts`
    kDbname,    // a connection string in the place of a name
  };
  std::vector<Endpoint> endpoints;  // in order; a URI may name several
  std::vector<std::pair<std::string, std::string>>
      parameters;  // everything but host, hostaddr and port
  // For people: without secrets, and empty where it could show a part of one.
  std::string label;  // "db1.example.com:5433", "/run/postgresql"; never empty
  std::string user;   // as libpq will use it; empty: its default
  std::string dbname;
  // target_session_attrs=prefer-standby, which is not among the parameters: it says which of
  // several servers is wanted most, and nothing about one.
  bool prefers_standby = false;
  bool wants_primary = false;  // target_session_attrs=read-write or primary
  bool secretive = false;  // what libpq and the server say of its host and database is not shown
  From from = From::kSettings;

  // Empty: it is not among the parameters.
  std::string Parameter(std::string_view name) const;

  friend bool operator==(const ConnectPlan&, const ConnectPlan&) = default;
};
bool operator==(const Endpoint&, const Endpoint&);

// The error text names no secret.
std::variant<ConnectPlan, std::string> MakeConnectPlan(const config::TableConfig& table,
                                                       const HostSpec& host,
                                                       const config::PoolSettings& settings);

}  // namespace proxymux::pgsql
