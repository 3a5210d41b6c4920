#include "proxy/status/status_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/status/status.h"
#include "proxy/status/status_values.h"
#include "proxy/text/text_grid.h"

namespace proxymux::proxy {
namespace {

using namespace status_values;

constexpr std::size_t kIndent = 10;  // below the words at the head of a line

// Of 40: enough to tell builds apart. The document has them all.
constexpr std::size_t kBuildIdDigits = 12;

// What is said below a row: the reason for its state, if any.
std::string Note(const Json& object) {
  const std::string reason = Text(object, "reason");
  return reason == "-" ? "" : reason;
}

// What is said below a row in the wide view: the latest failure, unless the row has it as a reason.
std::string WithFailure(const Json& object, std::string note, bool wide) {
  const Json& failure = Member(object, "last_failure");
  if (!wide || !failure.is_object()) return note;
  const std::string text = Text(failure, "text");
  if (text == note) return note;
  return fmt::format("{}{}failed {} ago: {}", note, note.empty() ? "" : "; ",
                     Milliseconds(failure, "age_ms"), text);
}

// Of the servers that were connected to, each once: what they say up to the first space.
std::string ServerVersions(const Json& status) {
  std::set<std::string> versions;
  const Json& pools = Member(status, "pools");
  for (const Json& pool : pools.is_array() ? pools : Json::array()) {
    const Json& hosts = Member(pool, "hosts");
    for (const Json& host : hosts.is_array() ? hosts : Json::array()) {
      const std::string version = Text(host, "server_version");
      if (!version.empty() && version != "-") versions.insert(version.substr(0, version.find(' ')));
    }
  }
  std::string text;
  for (const std::string& version : versions) {
    text += (text.empty() ? ", PostgreSQL " : ", ") + version;
  }
  return text;
}

void AddService(const Json& status, std::size_t width, std::string* out) {
  const Json& clients = Member(status, "clients");
  const Json& requests = Member(status, "requests");
  const Json& replies = Member(status, "replies");
  const Json& relay = Member(status, "relay");
  const auto line = [out, width](std::string_view text) { *out += WrapText(text, width, kIndent); };
  line(fmt::format("proxymux {}, service {}, pid {}, {}, {}, up {}, memory {}",
                   Text(status, "version"), Text(status, "service"), Text(status, "pid"),
                   Text(status, "mode"), Text(status, "state"), Milliseconds(status, "uptime_ms"),
                   Bytes(status, "resident_bytes")));
  const std::string build_id = Text(status, "build_id");
  line(fmt::format("program   build id {}, libpq {}, libuv {}, Postfix {}{}",
                   build_id.empty() ? "unknown" : build_id.substr(0, kBuildIdDigits),
                   Text(status, "libpq"), Text(status, "libuv"), Text(status, "postfix"),
                   ServerVersions(status)));
  if (const std::string file = Text(status, "program_file"); file == "replaced") {
    line("          the program on disk is another one: " +
         std::string(Text(status, "mode") == "master" ? "postfix reload" : "restart it"));
  } else if (file == "gone") {
    line("          the program is no longer on disk");
  }
  line("config    " + Text(status, "config_directory"));
  line("health    " + Text(status, "health"));
  const Json& reasons = Member(status, "degraded");
  if (reasons.is_array()) {
    for (const Json& reason : reasons) {
      if (!reason.is_string()) continue;
      *out += WrapText("          - " + Printable(reason.get<std::string>()), width, kIndent + 2);
    }
  }
  line(fmt::format("clients   {} now, {} accepted, limit {}", Text(clients, "now"),
                   Text(clients, "accepted"), Text(clients, "limit")));
  line(fmt::format("requests  {} lookup, {} open, {} other kinds, {} malformed",
                   Text(requests, "lookup"), Text(requests, "open"),
                   static_cast<std::uint64_t>(Number(requests, "update").value_or(0) +
                                              Number(requests, "delete").value_or(0) +
                                              Number(requests, "sequence").value_or(0) +
                                              Number(requests, "unknown").value_or(0)),
                   Text(status, "malformed")));
  line(fmt::format("replies   {} ok, {} not found, {} retry, {} config, {} deny, {} bad",
                   Text(replies, "ok"), Text(replies, "not_found"), Text(replies, "retry"),
                   Text(replies, "config"), Text(replies, "deny"), Text(replies, "bad")));
  line(fmt::format("coalesced {}, log lines dropped {}, reloads {} ({} failed)",
                   Text(status, "coalesced"), Text(status, "log_lines_dropped"),
                   Text(status, "reloads"), Text(status, "reload_failures")));
  line(fmt::format("relay     {}: {} requests, {} failed, {} waiting, {} connections, {} processes",
                   Text(relay, "mode"), Text(relay, "requests"), Text(relay, "failures"),
                   Text(relay, "waiting"), Text(relay, "connections"), Text(relay, "processes")));
}

// What is said below a pool that has no host.
std::string OutageNote(const Json& pool) {
  const std::string state = Text(pool, "state");
  const std::string since = Milliseconds(pool, "outage_ms");
  if (state == "waiting") {
    return fmt::format("no host for {}: {} lookups wait for one (outage_wait)", since,
                       Count(pool, "queue_length"));
  }
  if (state == "down") return "no host for " + since + ": lookups are answered RETRY";
  return "";
}

std::string RoleOf(const Json& host) {
  const std::string role = Text(host, "role");
  return role.empty() ? "-" : role;
}

bool LagIsOld(const Json& host) {
  return Number(host, "lag_age_ms").value_or(0) > std::chrono::milliseconds(kLagLasts).count();
}

// What is said below a host. Of a primary the lag is always 0.
std::string HostNote(const Json& host) {
  const std::string reason = Note(host);
  if (!LagIsOld(host) || !Number(host, "lag_ms") || RoleOf(host) == "primary") return reason;
  return fmt::format("{}{}lag {}, asked {} ago", reason, reason.empty() ? "" : "; ",
                     Milliseconds(host, "lag_ms"), Milliseconds(host, "lag_age_ms"));
}

using Columns = std::vector<std::string>;

// Those of the wide view behind the others.
Columns With(Columns columns, const Columns& wide, bool is_wide) {
  if (is_wide) columns.insert(columns.end(), wide.begin(), wide.end());
  return columns;
}

void AddPools(const Json& pools, const StatusView& view, std::string* out) {
  TextGrid pool_grid(With({"#", "POOL", "STATE", "CONN", "BUSY", "QUEUE", "WAIT", "LOOKUPS",
                           "STMTS", "RERUN", "TIMEOUT"},
                          {"BUSYMAX", "QUEUEMAX", "FULL"}, view.wide),
                     3);
  TextGrid host_grid(
      With({"#", "HOST", "STATE", "SINCE", "ROLE", "LAG", "CONN", "OK", "FAILED", "/S", "P99"},
           {"P50", "CFAIL", "5M/S", "15M/S", "15M P99", "ALL P99"}, view.wide),
      3);
  int number = 0;
  for (const Json& pool : pools) {
    const std::string id = fmt::format("{}", ++number);  // of a pool, for its hosts to refer to
    pool_grid.Add(
        With({id, Text(pool, "name"), Text(pool, "state"),
              fmt::format("{}/{}", Text(pool, "open"), Text(pool, "limit")), Text(pool, "busy"),
              Count(pool, "queue_length"), Milliseconds(pool, "oldest_wait_ms"),
              Count(pool, "lookups"), Count(pool, "statements"), Count(pool, "reruns"),
              Count(pool, "timeouts")},
             {Text(pool, "most_busy"), Count(pool, "most_queued"), Count(pool, "queue_full")},
             view.wide),
        OutageNote(pool));
    const Json& hosts = Member(pool, "hosts");
    if (!hosts.is_array()) continue;
    for (const Json& host : hosts) {
      const Json& recent = Member(host, "recent");
      const Json& minute = LastMinute(host);
      host_grid.Add(
          With({id, Text(host, "name"), Text(host, "state"), Milliseconds(host, "since_ms"),
                RoleOf(host), LagIsOld(host) ? "-" : Milliseconds(host, "lag_ms"),
                Text(host, "connections"), Count(host, "ok"), Count(host, "failed"),
                Rate(minute, "done_per_s"), RecentLatency(minute, "p99_us")},
               {RecentLatency(minute, "p50_us"), Count(host, "connect_failures"),
                Rate(Member(recent, "5m"), "done_per_s"), Rate(Member(recent, "15m"), "done_per_s"),
                RecentLatency(Member(recent, "15m"), "p99_us"), Latency(host, "p99_us")},
               view.wide),
          WithFailure(host, HostNote(host), view.wide));
    }
  }
  *out += "\n" + pool_grid.Render(view.width) + "\n" + host_grid.Render(view.width);
}

// By what the view is sorted by, the greatest first; and by name.
std::vector<const Json*> Sorted(const Json& tables, TableOrder order) {
  std::vector<std::pair<double, const Json*>> all;
  for (const Json& table : tables) {
    double rank = 0;
    switch (order) {
      case TableOrder::kName:
        break;
      case TableOrder::kRate:
        rank = Number(LastMinute(table), "done_per_s").value_or(0);
        break;
      case TableOrder::kFailures:
        rank = Number(LastMinute(table), "failed_per_s").value_or(0);
        break;
      case TableOrder::kLatency:
        rank = Number(LastMinute(table), "p99_us").value_or(0);
        break;
    }
    all.emplace_back(rank, &table);
  }
  std::ranges::stable_sort(all, std::greater<>(), [](const auto& each) { return each.first; });
  std::vector<const Json*> sorted;
  for (const auto& [rank, table] : all) sorted.push_back(table);
  return sorted;
}

// The number that the pool of that name has above; "-": it has none.
std::string PoolNumber(const Json& pools, const std::string& name) {
  int number = 0;
  for (const Json& pool : pools) {
    ++number;
    if (Text(pool, "name") == name) return fmt::format("{}", number);
  }
  return "-";
}

void AddTables(const Json& tables, const Json& pools, const StatusView& view, std::string* out) {
  TextGrid grid(
      With({"TABLE", "STATE", "PLAN", "#", "LOOKUPS", "FOUND", "RETRY", "CONF", "/S", "P50", "P99"},
           {"FAIL/S", "COAL", "5M/S", "15M/S", "15M P99", "ALL P99"}, view.wide),
      3);
  for (const Json* each : Sorted(tables, view.order)) {
    const Json& table = *each;
    const std::string plan = Text(table, "plan");
    const Json& recent = Member(table, "recent");
    const Json& minute = LastMinute(table);
    grid.Add(
        With({TableName(table, "name"), Text(table, "state"),
              plan == "parameterized" ? "params" : plan, PoolNumber(pools, Text(table, "pool")),
              Count(table, "lookups"), Count(table, "found"), Count(table, "retry"),
              Count(table, "config"), Rate(minute, "done_per_s"), RecentLatency(minute, "p50_us"),
              RecentLatency(minute, "p99_us")},
             {Rate(minute, "failed_per_s"), Count(table, "coalesced"),
              Rate(Member(recent, "5m"), "done_per_s"), Rate(Member(recent, "15m"), "done_per_s"),
              RecentLatency(Member(recent, "15m"), "p99_us"), Latency(table, "p99_us")},
             view.wide),
        WithFailure(table, Note(table), view.wide));
  }
  *out += "\n" + grid.Render(view.width);
}

// Only the tables that keep answers, if there are any.
void AddCaches(const Json& tables, std::size_t width, std::string* out) {
  TextGrid grid({"CACHE OF TABLE", "ENTRIES", "MEMORY", "HITS", "MISSES", "EVICTED", "STALE"}, 1);
  bool any = false;
  for (const Json& table : tables) {
    const Json& cache = Member(table, "cache");
    if (!cache.is_object()) continue;
    any = true;
    grid.Add({TableName(table, "name"), Count(cache, "entries"), Bytes(cache, "bytes"),
              Count(cache, "hits"), Count(cache, "misses"), Count(cache, "evictions"),
              Count(cache, "stale")});
  }
  if (any) *out += "\n" + grid.Render(width);
}

}  // namespace

std::variant<std::string, StatusTextError> StatusText(std::string_view json,
                                                      const StatusView& view) {
  const Json status = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!status.is_object() || Text(status, "program") != "proxymux") {
    return StatusTextError{"the answer is not a status document of proxymux"};
  }
  std::string out;
  AddService(status, view.width, &out);
  const Json& pools = Member(status, "pools");
  if (pools.is_array() && !pools.empty()) AddPools(pools, view, &out);
  const Json& tables = Member(status, "tables");
  if (tables.is_array() && !tables.empty()) {
    AddTables(tables, pools, view, &out);
    out +=
        WrapText(view.interval ? "/S: a second, since the last view; P50, P99: of the last minute"
                               : "/S: a second; /S, P50, P99: of the last minute",
                 view.width, 0);
    AddCaches(tables, view.width, &out);
  }
  return out;
}

}  // namespace proxymux::proxy
