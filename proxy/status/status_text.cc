#include "proxy/status/status_text.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "proxy/status/status.h"
#include "proxy/text/text_grid.h"

namespace proxymux::proxy {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kIndent = 10;                // below the words at the head of a line
constexpr std::string_view kTableType = "pgsql:";  // of every table: not worth its columns

// Of 40: enough to tell builds apart. The document has them all.
constexpr std::size_t kBuildIdDigits = 12;

// A terminal must not obey what a file or a server named something.
std::string Printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = '?';
  }
  return text;
}

const Json& Member(const Json& object, const char* name) {
  static const Json missing;
  if (!object.is_object()) return missing;
  const auto found = object.find(name);
  return found == object.end() ? missing : *found;
}

std::string Text(const Json& object, const char* name) {
  const Json& value = Member(object, name);
  if (value.is_string()) return Printable(value.get<std::string>());
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_number_unsigned()) return fmt::format("{}", value.get<std::uint64_t>());
  if (value.is_number_integer()) return fmt::format("{}", value.get<std::int64_t>());
  return "-";
}

std::optional<double> Number(const Json& object, const char* name) {
  const Json& value = Member(object, name);
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

// Exact up to seven digits, then "12.3M" and "12.3G".
std::string Count(const Json& object, const char* name) {
  const auto count = Number(object, name);
  if (!count || *count < 1e7) return Text(object, name);
  if (*count < 1e9) return fmt::format("{:.1f}M", *count / 1e6);
  if (*count < 1e12) return fmt::format("{:.1f}G", *count / 1e9);
  return fmt::format("{:.1f}T", *count / 1e12);
}

// A member of the object's latency: "870us", "4.3ms", "12.0s"; "-" when nothing was measured.
std::string Latency(const Json& object, const char* name) {
  const Json& latency = Member(object, "latency");
  const auto us = Number(latency, name);
  if (!us || Number(latency, "count") == 0.0) return "-";
  if (*us < 1000) return fmt::format("{:.0f}us", *us);
  if (*us < 1e6) return fmt::format("{:.1f}ms", *us / 1e3);
  return fmt::format("{:.1f}s", *us / 1e6);
}

// What is said below a row: the reason for its state, if any.
std::string Note(const Json& object) {
  const std::string reason = Text(object, "reason");
  return reason == "-" ? "" : reason;
}

// "350ms", "12s", "5m10s", "3h05m", "12d04h".
std::string Milliseconds(const Json& object, const char* name) {
  const auto ms = Number(object, name);
  if (!ms) return "-";
  if (*ms < 1000) return fmt::format("{:.0f}ms", *ms);
  const auto seconds = static_cast<std::int64_t>(*ms / 1000);
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  if (seconds < 86400) return fmt::format("{}h{:02}m", seconds / 3600, seconds / 60 % 60);
  return fmt::format("{}d{:02}h", seconds / 86400, seconds / 3600 % 24);
}

std::string Bytes(const Json& object, const char* name) {
  const auto bytes = Number(object, name);
  if (!bytes) return "-";
  if (*bytes < 1024) return fmt::format("{:.0f}B", *bytes);
  if (*bytes < 1024.0 * 1024) return fmt::format("{:.1f}KiB", *bytes / 1024);
  if (*bytes < 1024.0 * 1024 * 1024) return fmt::format("{:.1f}MiB", *bytes / 1024 / 1024);
  return fmt::format("{:.1f}GiB", *bytes / 1024 / 1024 / 1024);
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

void AddPools(const Json& pools, std::size_t width, std::string* out) {
  TextGrid pool_grid({"#", "POOL", "STATE", "CONN", "BUSY", "QUEUE", "WAIT", "LOOKUPS", "STMTS",
                      "RERUN", "TIMEOUT"},
                     3);
  TextGrid host_grid(
      {"#", "HOST", "STATE", "SINCE", "ROLE", "LAG", "CONN", "OK", "FAILED", "CFAIL", "P50", "P99"},
      3);
  int number = 0;
  for (const Json& pool : pools) {
    const std::string id = fmt::format("{}", ++number);  // of a pool, for its hosts to refer to
    pool_grid.Add(
        {id, Text(pool, "name"), Text(pool, "state"),
         fmt::format("{}/{}", Text(pool, "open"), Text(pool, "limit")), Text(pool, "busy"),
         Count(pool, "queue_length"), Milliseconds(pool, "oldest_wait_ms"), Count(pool, "lookups"),
         Count(pool, "statements"), Count(pool, "reruns"), Count(pool, "timeouts")},
        OutageNote(pool));
    const Json& hosts = Member(pool, "hosts");
    if (!hosts.is_array()) continue;
    for (const Json& host : hosts) {
      host_grid.Add(
          {id, Text(host, "name"), Text(host, "state"), Milliseconds(host, "since_ms"),
           RoleOf(host), LagIsOld(host) ? "-" : Milliseconds(host, "lag_ms"),
           Text(host, "connections"), Count(host, "ok"), Count(host, "failed"),
           Count(host, "connect_failures"), Latency(host, "p50_us"), Latency(host, "p99_us")},
          HostNote(host));
    }
  }
  *out += "\n" + pool_grid.Render(width) + "\n" + host_grid.Render(width);
}

std::string TableName(const Json& table) {
  std::string name = Text(table, "name");
  if (name.rfind(kTableType, 0) == 0) name.erase(0, kTableType.size());
  return name;
}

void AddTables(const Json& tables, std::size_t width, std::string* out) {
  TextGrid grid(
      {"TABLE", "STATE", "PLAN", "LOOKUPS", "FOUND", "RETRY", "CONF", "COAL", "P50", "P99"}, 3);
  for (const Json& table : tables) {
    const std::string plan = Text(table, "plan");
    grid.Add({TableName(table), Text(table, "state"), plan == "parameterized" ? "params" : plan,
              Count(table, "lookups"), Count(table, "found"), Count(table, "retry"),
              Count(table, "config"), Count(table, "coalesced"), Latency(table, "p50_us"),
              Latency(table, "p99_us")},
             Note(table));
  }
  *out += "\n" + grid.Render(width);
}

// Only the tables that keep answers, if there are any.
void AddCaches(const Json& tables, std::size_t width, std::string* out) {
  TextGrid grid({"CACHE OF TABLE", "ENTRIES", "MEMORY", "HITS", "MISSES", "EVICTED", "STALE"}, 1);
  bool any = false;
  for (const Json& table : tables) {
    const Json& cache = Member(table, "cache");
    if (!cache.is_object()) continue;
    any = true;
    grid.Add({TableName(table), Count(cache, "entries"), Bytes(cache, "bytes"),
              Count(cache, "hits"), Count(cache, "misses"), Count(cache, "evictions"),
              Count(cache, "stale")});
  }
  if (any) *out += "\n" + grid.Render(width);
}

}  // namespace

std::variant<std::string, StatusTextError> StatusText(std::string_view json, std::size_t width) {
  const Json status = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!status.is_object() || Text(status, "program") != "proxymux") {
    return StatusTextError{"the answer is not a status document of proxymux"};
  }
  std::string out;
  AddService(status, width, &out);
  const Json& pools = Member(status, "pools");
  if (pools.is_array() && !pools.empty()) AddPools(pools, width, &out);
  const Json& tables = Member(status, "tables");
  if (tables.is_array() && !tables.empty()) {
    AddTables(tables, width, &out);
    AddCaches(tables, width, &out);
  }
  return out;
}

}  // namespace proxymux::proxy
