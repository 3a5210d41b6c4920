// What the process says about itself, as plain values: filled on the event loop's thread by the
// daemon, handed over whole to the admin thread, and there turned into metrics (metrics_text) and
// JSON (status_json). Copies only: nothing points back.
//
// Counters count since the start of the process. Durations are what they say; "now" is the moment
// the snapshot was taken.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pgsql/runtime/latency_histogram.h"
#include "proxy/status/version.h"

namespace proxymux::proxy {

using pgsql::LatencyHistogram;

enum class ServiceMode { kMaster, kStandalone };
enum class ServiceState { kServing, kDraining };
enum class RelayMode { kNone, kSocket, kProcesses };
enum class TableState {
  kOk,
  kBroken,
  kStale,    // the file is broken now, an older version is in use
  kFailing,  // the file is good, but the last lookups all failed (table_failures.h)
};
// Whether one of the pool's hosts can serve.
enum class OutageState {
  kServing,
  kWaiting,  // none can: lookups wait for one (outage_wait)
  kDown,     // none can: lookups are answered RETRY
};
enum class PlanKind { kNone, kText, kParameterized, kPrepared };

std::string_view ServiceModeName(ServiceMode mode);
std::string_view ServiceStateName(ServiceState state);
std::string_view RelayModeName(RelayMode mode);
std::string_view TableStateName(TableState state);
std::string_view OutageStateName(OutageState state);
std::string_view PlanKindName(PlanKind kind);

struct RequestCounts {
  std::uint64_t open = 0;
  std::uint64_t lookup = 0;
  std::uint64_t update = 0;
  std::uint64_t remove = 0;  // the request named delete
  std::uint64_t sequence = 0;
  std::uint64_t unknown = 0;
};

// By the status of the reply, over all kinds of requests.
struct ReplyCounts {
  std::uint64_t ok = 0;
  std::uint64_t not_found = 0;
  std::uint64_t retry = 0;
  std::uint64_t bad = 0;
  std::uint64_t deny = 0;
  std::uint64_t config = 0;
};

struct ClientCounts {
  std::uint64_t now = 0;
  std::uint64_t accepted = 0;
  std::uint64_t limit = 0;
  std::uint64_t closed_for_size = 0;  // a request over max_request
};

// Requests for tables of other types.
struct RelayWork {
  std::uint64_t requests = 0;  // passed on
  std::uint64_t failures = 0;  // of these, answered RETRY by us
  LatencyHistogram latency;    // one that was answered, from when it was read
};

struct RelayedTable : RelayWork {
  std::string name;  // "hash:/etc/aliases"
};

// Other map types, answered by the stock implementation.
struct RelayCounts {
  RelayMode mode = RelayMode::kNone;
  std::uint64_t processes = 0;  // stock daemons that run now (kProcesses)
  std::uint64_t limit = 0;
  std::uint64_t connections = 0;
  std::uint64_t busy = 0;     // connections with a request on the way
  std::uint64_t waiting = 0;  // requests without a connection yet
  std::uint64_t requests = 0;
  std::uint64_t failures = 0;        // answered RETRY by us
  std::uint64_t starts = 0;          // of stock daemons, or connections made to the stock service
  std::vector<RelayedTable> tables;  // that were asked for
};

// What was done lately, by windows of the last minute, five and fifteen: how often, and how
// quickly. A window that the process is too young for is as long as it has been observed.
struct RecentRate {
  std::chrono::milliseconds span{0};  // 0: nothing is known yet
  double done = 0;                    // a second
  double failed = 0;                  // a second; not among those done
  std::chrono::microseconds p50{0};   // of those done; 0: there were none
  std::chrono::microseconds p99{0};
};
inline constexpr std::array<std::chrono::minutes, 3> kRecentWindows = {
    std::chrono::minutes(1), std::chrono::minutes(5), std::chrono::minutes(15)};
using Recent = std::array<RecentRate, kRecentWindows.size()>;

// The latest failure, whatever came after.
struct LastFailure {
  std::string text;                              // empty: there was none
  std::optional<std::chrono::milliseconds> age;  // none: there was none
};

// Hosts are asked about once a second for their role and lag, but only while lookups come. What one
// said is shown as its lag of now for no longer than this.
inline constexpr std::chrono::seconds kLagLasts{30};

// Statements of lookups.
struct HostWork {
  std::uint64_t ok = 0;      // answered
  std::uint64_t failed = 0;  // lost with their connection, or failed for the host's sake
  LatencyHistogram latency;  // from sent to answered
  Recent recent;
};

struct HostStatus : HostWork {
  std::string name;                    // as in the table's hosts, without credentials
  std::string host_class;              // "unix", "inet", "uri"
  std::string state;                   // "untried", "up", "suspect", "down", "trial", "disabled"
  bool usable = false;                 // takes lookups now
  std::string reason;                  // why it is not
  std::chrono::milliseconds since{0};  // in this state
  std::string server_version;          // as the server says; empty: nothing yet
  std::string role;                    // "primary", "standby"; empty: not asked yet
  std::optional<std::chrono::milliseconds> lag;  // behind the primary then; none: not known
  std::optional<std::chrono::milliseconds>
      lag_age;                  // since it was asked for both; none: it was not
  bool too_far_behind = false;  // than max_replica_lag allows, or no primary any more
  bool lone_simple = false;  // a lookup that is alone goes by the simple protocol, measured better
  std::string down;          // why it takes no lookups: "unreachable", "refused", "role", "behind",
                             // "disabled"; empty: it is not known to take none
  LastFailure last_failure;
  std::uint64_t connections = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t connects = 0;
  std::uint64_t connect_failures = 0;
};

// Whether a pool has a host that can serve.
struct OutageStatus {
  OutageState state = OutageState::kServing;
  std::chrono::milliseconds lasts{0};  // since no host could serve; 0: one can
  std::uint64_t begun = 0;             // how often that began
  std::uint64_t waits = 0;             // lookups that waited for a host
  std::uint64_t retries = 0;           // lookups that were answered RETRY
};

// What ran out of time.
struct PoolTimeouts {
  std::uint64_t queue_timeouts = 0;      // lookups over queue_wait
  std::uint64_t lookup_timeouts = 0;     // lookups over lookup_timeout
  std::uint64_t statement_timeouts = 0;  // statements over query_timeout
};

// Level times time, and the highest level of the last minute or two: of connections with statements
// in flight, and of lookups that wait.
struct PoolUse {
  std::chrono::microseconds busy_time{0};
  std::chrono::microseconds queued_time{0};
  std::uint64_t most_busy = 0;
  std::uint64_t most_queued = 0;
};

struct PoolStatus : PoolTimeouts, PoolUse {
  std::string name;
  std::uint64_t limit = 0;  // of connections
  std::uint64_t open = 0;   // ready for queries; busy + idle
  std::uint64_t connecting = 0;
  std::uint64_t busy = 0;
  std::uint64_t idle = 0;
  std::uint64_t queue_length = 0;
  std::uint64_t queue_limit = 0;
  std::chrono::milliseconds oldest_wait{0};
  std::uint64_t lookups = 0;
  std::uint64_t statements = 0;
  std::uint64_t syncs = 0;
  std::uint64_t reruns = 0;  // statements sent again after a neighbour or a connection failed
  std::uint64_t asked_twice_stall = 0;  // lookups asked of another host because of a silence
  std::uint64_t asked_twice_hedge = 0;  // because they took longer than usual
  std::uint64_t cancels = 0;
  std::uint64_t queue_full = 0;  // lookups refused because the queue was full
  OutageStatus outage;
  std::vector<HostStatus> hosts;
};

// The answers that a table keeps.
struct CacheStatus {
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  std::uint64_t evictions = 0;  // for lack of room
  std::uint64_t stale = 0;      // answered from before while every host was down
};

struct TableStatus {
  std::string name;  // "pgsql:/etc/postfix/x.cf"
  std::string pool;
  TableState state = TableState::kOk;
  std::string reason;                 // "FILE:LINE: what" or the last error, unless kOk
  std::uint64_t failed_in_a_row = 0;  // lookups since the last that a server answered
  LastFailure last_failure;
  PlanKind plan = PlanKind::kNone;
  std::string plan_reason;        // why text, when it could be more
  std::optional<bool> may_write;  // not asked yet: none
  std::uint64_t lookups = 0;
  std::uint64_t found = 0;
  std::uint64_t not_found = 0;
  std::uint64_t retry = 0;
  std::uint64_t config = 0;
  std::uint64_t coalesced = 0;   // answered by another client's lookup in flight
  std::uint64_t suppressed = 0;  // answered without a query: domain list, a missing part of the key
  std::uint64_t slow = 0;        // took longer than they should (log.slow)
  std::optional<CacheStatus> cache;  // none: answers are not kept
  LatencyHistogram latency;          // one lookup that was answered, from when it was read
  Recent recent;                     // lookups
};

// One that took longer than it should (log.slow).
struct SlowLookup {
  std::string table;
  std::string host;  // empty: no server has answered it
  std::chrono::milliseconds age{0};
  std::chrono::milliseconds took{0};
  std::chrono::milliseconds waited{0};             // of these, until it was sent to that host
  std::optional<std::chrono::microseconds> usual;  // half of its table's take that at most
};

// The process, whatever it serves.
struct ProcessStatus {
  std::string version;
  ProgramVersions versions;
  std::string program_file;  // "same", "replaced" or "gone" since the start
  std::int64_t pid = 0;
  std::string service;
  std::string config_directory;
  ServiceMode mode = ServiceMode::kMaster;
  unsigned generation = 0;
  std::chrono::system_clock::time_point started;
  std::chrono::milliseconds uptime{0};
  std::chrono::milliseconds away{0};       // in which the process was not run although work was due
  std::chrono::microseconds loop_busy{0};  // in which the event loop did not wait for something
  std::chrono::microseconds cpu_user{0};   // of the process, all threads
  std::chrono::microseconds cpu_system{0};
  std::uint64_t resident_bytes = 0;
  std::uint64_t log_lines_dropped = 0;
};

struct ServiceStatus {
  ProcessStatus process;
  ServiceState state = ServiceState::kServing;
  std::vector<std::string> degraded;  // reasons; empty: healthy
  ClientCounts clients;
  RequestCounts requests;
  ReplyCounts replies;
  std::uint64_t malformed = 0;  // requests answered BAD or not at all
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;
  std::uint64_t coalesced = 0;
  std::uint64_t reloads = 0;
  std::uint64_t reload_failures = 0;
  RelayCounts relay;
  std::vector<PoolStatus> pools;
  std::vector<TableStatus> tables;
  std::vector<SlowLookup> slow;  // the latest few, the latest first
};

}  // namespace proxymux::proxy
