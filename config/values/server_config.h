// The settings of proxymux.yaml as plain values. Names, units, defaults and help stand in
// option_table; this is what the rest of the program reads. Immutable once loaded: a reload makes a
// new one and swaps it in whole.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "config/values/statement_mode.h"

namespace proxymux::config {

using Milliseconds = std::chrono::milliseconds;

// Over healthy hosts of the best class, or with one of them until it fails.
enum class HostsPolicy { kSpread, kSticky };
// Whether a pooler stands between; kAuto: it is found out.
enum class Pooler { kAuto, kYes, kNo };
// What becomes of lookups when every server is further behind than max_replica_lag.
enum class WhenAllLag { kUse, kRetry };

// One pool: `pool:` holds the values of every pool, `pools: {NAME: ...}` what differs for one.
struct PoolSettings {
  std::int64_t connections = 4;        // in all, over every host of the pool
  std::int64_t pipeline_depth = 32;    // statements in flight on one connection
  std::int64_t queue_limit = 10000;    // lookups waiting for a connection; more are answered RETRY
  Milliseconds connect_timeout{3000};  // one address, from connect to ready for queries
  Milliseconds stall_limit{1000};      // silence on a connection before another host is asked too
  HostsPolicy hosts_policy = HostsPolicy::kSpread;
  Pooler pooler = Pooler::kAuto;
  std::string target_session_attrs;  // as libpq's; empty: what the table or libpq says
  Milliseconds queue_wait{10000};    // in the queue before RETRY
  Milliseconds outage_wait{5000};    // for a host, from the moment when none can serve; 0: not
  Milliseconds max_replica_lag{0};   // a host that is further behind is not used; 0: as it is
  WhenAllLag when_all_lag = WhenAllLag::kUse;
  Milliseconds tcp_user_timeout{
      10000};                          // unacknowledged data before the kernel drops the connection
  Milliseconds keepalive_idle{30000};  // silence before the first TCP keepalive probe
  std::string sslmode;                 // empty: what the table or libpq says
  std::string sslrootcert;
  std::string sslcert;
  std::string sslkey;
  std::string application_name = "proxymux";

  friend bool operator==(const PoolSettings&, const PoolSettings&) = default;
};

enum class Coalesce { kInFlight, kUnsent, kOff };
enum class UnquotedPlaceholders { kNumbers, kAny };

// One table: `table:` for every table, `tables: {"pgsql:/path/x.cf": ...}` for one.
struct TableSettings {
  Milliseconds query_timeout{10000};   // one statement on one server
  Milliseconds lookup_timeout{20000};  // one lookup, over queue, servers and repetitions
  std::size_t max_value = 4 << 20;     // bytes of a formatted result
  Coalesce coalesce = Coalesce::kInFlight;
  UnquotedPlaceholders unquoted_placeholders = UnquotedPlaceholders::kNumbers;
  StatementMode statement_mode = StatementMode::kAuto;  // unless the table's file says
  Milliseconds cache_ttl{0};                            // of answers that are found; 0: not kept
  Milliseconds cache_negative_ttl{0};                   // of those that are not
  std::int64_t cache_max_entries = 10000;
  Milliseconds stale_if_error{0};  // how old an answer may be while every host is down; 0: none
  std::int64_t hedge_percent = 0;  // of lookups that may be asked of a second host; 0: none

  friend bool operator==(const TableSettings&, const TableSettings&) = default;
};

enum class LogLevel { kDebug, kInfo, kWarning, kError };

struct ServerConfig {
  Milliseconds drain_timeout{5000};  // work still running then is answered RETRY
  bool greeting = true;              // false: for clients before Postfix 3.6, which do not read one
  std::size_t max_request = 64 << 10;      // bytes of one request
  std::int64_t max_clients = 15000;        // connected at once; more wait in the listen queue
  Milliseconds table_check_interval{250};  // how often table files are looked at for changes
  std::string
      admin_listen;  // empty: a UNIX socket under data_directory; "off"; "/path"; "ADDRESS:PORT"
  LogLevel log_level = LogLevel::kInfo;
  Milliseconds log_slow{500};        // a lookup that takes so long may be told; 0: none is
  std::int64_t log_slow_times = 10;  // if that is so many times as long as half of its table's
  bool log_keys = false;             // with its key
  std::string relay_socket =
      "private/proxymap";              // where other map types go when we are not in stock's place
  std::int64_t relay_processes = 10;   // stock daemons, or connections to a stock service, at once
  Milliseconds relay_idle{60000};      // an idle stock daemon of ours is ended after this
  Milliseconds relay_timeout{120000};  // one relayed request

  PoolSettings pool;
  std::map<std::string, PoolSettings>
      pools;  // by the pool's display name; each complete, defaults merged in
  TableSettings table;
  std::map<std::string, TableSettings>
      tables;  // by "pgsql:NAME"; each complete, defaults merged in
};

}  // namespace proxymux::config
