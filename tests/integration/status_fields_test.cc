// Every field of /status.json from a real service, when it has just started and when something of
// every kind has happened.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/integration/status_world.h"

namespace proxymux::integration {
namespace {

using harness::Eventually;
using harness::ProxymapClient;
using Json = nlohmann::json;

// "tables.lookups" of every value in the document, whatever the array's index.
void CollectFields(const Json& value, const std::string& name, std::set<std::string>* fields) {
  if (value.is_object() && !value.empty()) {
    for (const auto& [key, member] : value.items()) {
      CollectFields(member, name.empty() ? key : name + "." + key, fields);
    }
  } else if (value.is_array() && !value.empty()) {
    for (const Json& element : value) CollectFields(element, name, fields);
  } else {
    fields->insert(name);
  }
}

// The values as JSON text; `busy` empty: as when idle.
struct Field {
  const char* name;
  std::string idle, busy;
};

TEST_F(StatusTruth, EveryFieldInTwoStates) {
  const Json idle = Document();
  WriteSettings("legacy");
  Reload();
  postfix_->WriteConfig("proxymux.yaml", "drain_timeuot: 3s\n", 0644);
  Reload();
  const std::string good = postfix_->Table("good.cf");
  client_->Open(good);
  for (int user = 1; user <= 3; ++user) Lookup("good.cf", harness::AliasOf(user));
  Lookup("good.cf", "nobody@example.com");
  Lookup("domain.cf", harness::AliasOf(1));
  Lookup("broken.cf", "key");
  for (int i = 0; i < 5; ++i) Lookup("failing.cf", "key");
  Lookup("number.cf", "a@b");
  // What is not found is not kept there, but the catalogue is asked about the table.
  Lookup("cached.cf", "nobody@example.com");
  ASSERT_TRUE(harness::Eventually(
      [&] { return !TableOf(Document(), "cached.cf")["may_write"].is_null(); }));
  for (const int user : {1, 1, 2}) Lookup("cached.cf", harness::AliasOf(user));
  Lookup("down.cf", "key");
  client_->Lookup("unix:passwd.byname", "root");
  client_->Lookup("pgsql:/nobody/approved.cf", "key");
  client_->Ask(protocol::UpdateRequest{good, 0, 0, "k", "v"});
  client_->Ask(protocol::DeleteRequest{good, 0, 0, "k"});
  client_->Ask(protocol::SequenceRequest{good});
  ProxymapClient large(directory_ + "/sock");
  large.SendBytes(std::string(100'000, 'x'));
  large.ReceiveList();
  ProxymapClient malformed(directory_ + "/sock");
  malformed.SendBytes(std::string("request\0lookup\0\0", 16));
  malformed.ReceiveList();
  ASSERT_TRUE(Eventually([&] { return Document()["clients"]["now"] == 2; }));
  const Json busy = Document();

  std::set<std::string> checked;
  const auto mark = [&checked](std::string name) {
    for (char& c : name) c = c == '/' ? '.' : c;
    checked.insert(std::move(name));
  };
  const auto expect = [&mark](const Json& before, const Json& after, const std::string& where,
                              const std::vector<Field>& fields) {
    for (const auto& [field, when_idle, when_busy] : fields) {
      const auto pointer = Json::json_pointer("/" + std::string(field));
      ASSERT_TRUE(before.contains(pointer) && after.contains(pointer)) << where << field;
      EXPECT_EQ(before.at(pointer).dump(), when_idle) << where << field << " when idle";
      EXPECT_EQ(after.at(pointer).dump(), when_busy.empty() ? when_idle : when_busy)
          << where << field << " when busy";
      mark(where + field);
    }
  };
  const auto grows = [&mark](const Json& before, const Json& after, const std::string& where,
                             const std::vector<const char*>& fields) {
    for (const char* field : fields) {
      const auto pointer = Json::json_pointer("/" + std::string(field));
      ASSERT_TRUE(before.contains(pointer) && after.contains(pointer)) << where << field;
      EXPECT_GT(after.at(pointer).get<double>(), before.at(pointer).get<double>())
          << where << field;
      mark(where + field);
    }
  };

  expect(idle, busy, "",
         {{"program", "\"proxymux\"", ""},
          {"pid", std::to_string(child_->pid()), ""},
          {"config_directory", Json(postfix_->config_directory()).dump(), ""},
          {"service", (idle["service"]).dump(), ""},
          {"mode", "\"standalone\"", ""},
          {"slow", "[]", ""},
          {"generation", "0", ""},
          {"version", (idle["version"]).dump(), ""},
          {"build_id", (idle["build_id"]).dump(), ""},
          {"libpq", (idle["libpq"]).dump(), ""},
          {"libuv", (idle["libuv"]).dump(), ""},
          {"postfix", (idle["postfix"]).dump(), ""},
          {"program_file", "\"same\"", ""},
          {"started", (idle["started"]).dump(), ""},
          {"state", "\"serving\"", ""},
          {"health", "\"degraded\"", ""},
          {"clients/now", "1", "2"},
          {"clients/accepted", "1", "3"},
          {"clients/limit", "15000", ""},
          {"clients/closed_for_size", "0", "1"},
          {"requests/open", "0", "1"},
          {"requests/lookup", "0", "19"},
          {"requests/update", "0", "1"},
          {"requests/delete", "0", "1"},
          {"requests/sequence", "0", "1"},
          {"requests/unknown", "0", "1"},
          {"replies/ok", "0", "8"},
          {"replies/not_found", "0", "3"},
          {"replies/retry", "0", "2"},
          {"replies/config", "0", "7"},
          {"replies/deny", "0", "3"},
          {"replies/bad", "0", "1"},
          {"malformed", "0", "1"},
          {"reloads", "0", "1"},
          {"reload_failures", "0", "1"},
          {"log_lines_dropped", "0", ""},
          {"coalesced", "0", ""},
          {"relay/mode", "\"processes\"", ""},
          {"relay/processes", "0", "1"},
          {"relay/limit", (idle["relay"]["limit"]).dump(), ""},
          {"relay/connections", "0", ""},
          {"relay/busy", "0", ""},
          {"relay/waiting", "0", ""},
          {"relay/requests", "0", "1"},
          {"relay/failures", "0", ""},
          {"relay/starts", "0", "1"}});
  EXPECT_EQ(idle["relay"]["tables"].dump(), "[]");
  const Json relayed = busy["relay"]["tables"].at(0);
  EXPECT_EQ(relayed["name"], "unix:passwd.byname");
  EXPECT_EQ(relayed["requests"].dump() + relayed["failures"].dump(), "10");
  EXPECT_EQ(relayed["latency"]["count"], 1);
  checked.insert({"relay.tables.name", "relay.tables.requests", "relay.tables.failures"});
  grows(idle, busy, "", {"uptime_ms", "bytes_read", "bytes_written", "loop_busy_us"});
  EXPECT_GT(busy["resident_bytes"].get<double>(), 1e6);
  EXPECT_LT(idle["degraded"].size(), busy["degraded"].size());
  EXPECT_LE(busy["loop_busy_us"].get<double>(), busy["uptime_ms"].get<double>() * 1000);
  const auto cpu = [](const Json& document) {
    return document["cpu_user_us"].get<double>() + document["cpu_system_us"].get<double>();
  };
  EXPECT_GT(cpu(busy), cpu(idle));
  checked.insert({"resident_bytes", "away_ms", "degraded", "cpu_user_us", "cpu_system_us"});

  const auto table = [&](const char* name, const std::vector<Field>& fields) {
    expect(TableOf(idle, name), TableOf(busy, name), "tables.", fields);
  };
  table("good.cf", {{"name", Json(good).dump(), ""},
                    {"state", "\"ok\"", ""},
                    {"reason", "\"\"", ""},
                    {"lookups", "0", "4"},
                    {"found", "0", "3"},
                    {"not_found", "0", "1"},
                    {"retry", "0", ""},
                    {"config", "0", ""},
                    {"coalesced", "0", ""},
                    {"suppressed", "0", ""},
                    {"slow", "0", ""},
                    {"last_failure", "null", ""},
                    {"may_write", "null", "false"},
                    {"cache", "null", ""},
                    {"latency/count", "0", "4"}});
  grows(TableOf(idle, "good.cf"), TableOf(busy, "good.cf"), "tables.",
        {"latency/avg_us", "latency/p50_us", "latency/p90_us", "latency/p99_us", "latency/max_us"});
  table("mode.cf", {{"plan", "\"prepared\"", "\"text\""},
                    {"plan_reason", "\"\"", "\"statement_mode is legacy\""}});
  table("failing.cf",
        {{"state", "\"ok\"", "\"failing\""}, {"failed_in_a_row", "0", "5"}, {"config", "0", "5"}});
  const Json failed = TableOf(busy, "failing.cf");
  EXPECT_EQ(failed["last_failure"]["text"], failed["reason"]);
  EXPECT_GE(failed["last_failure"]["age_ms"], 0);
  checked.insert({"tables.last_failure.text", "tables.last_failure.age_ms"});
  table("number.cf", {{"retry", "0", "1"}, {"failed_in_a_row", "0", "1"}, {"state", "\"ok\"", ""}});
  table("domain.cf", {{"suppressed", "0", "1"}, {"not_found", "0", "1"}});
  table("broken.cf", {{"state", "\"broken\"", ""}, {"pool", "\"\"", ""}, {"config", "0", "1"}});
  table("cached.cf", {{"cache/hits", "0", "1"},
                      {"cache/misses", "0", "2"},
                      {"cache/entries", "0", "1"},
                      {"cache/bytes", "0", (TableOf(busy, "cached.cf")["cache"]["bytes"]).dump()},
                      {"cache/evictions", "0", "1"},
                      {"cache/stale", "0", ""}});
  EXPECT_GT(TableOf(busy, "cached.cf")["cache"]["bytes"], 0);

  const auto pool_of = [&](const Json& document, const char* name) {
    for (const Json& pool : document["pools"]) {
      if (pool["name"] == TableOf(document, name)["pool"]) return pool;
    }
    ADD_FAILURE() << "no pool of " << name << " in " << document;
    return Json();
  };
  const Json pool = pool_of(busy, "good.cf");
  expect(pool_of(idle, "good.cf"), pool, "pools.",
         {{"name", (pool["name"]).dump(), ""},
          {"state", "\"serving\"", ""},
          {"outage_ms", "0", ""},
          {"limit", "4", ""},
          {"busy", "0", ""},
          {"queue_length", "0", ""},
          {"queue_limit", "10000", ""},
          {"oldest_wait_ms", "0", ""},
          {"lookups", "0", "13"},
          {"asked_twice/stall", "0", ""},
          {"asked_twice/hedge", "0", ""},
          {"timeouts", "0", ""},
          {"queue_timeouts", "0", ""},
          {"lookup_timeouts", "0", ""},
          {"statement_timeouts", "0", ""},
          {"cancels", "0", ""},
          {"queue_full", "0", ""},
          {"outages", "0", ""},
          {"outage_waits", "0", ""},
          {"outage_retries", "0", ""}});
  grows(pool_of(idle, "good.cf"), pool, "pools.",
        {"statements", "syncs", "reruns", "open", "idle", "busy_us", "most_busy"});
  checked.insert({"pools.connecting", "pools.queued_us", "pools.most_queued"});
  EXPECT_EQ(pool["open"], pool["idle"]);
  const Json down_host = pool_of(busy, "down.cf")["hosts"][0];
  expect(pool_of(idle, "down.cf")["hosts"][0], down_host, "pools.hosts.",
         {{"name", (down_host["name"]).dump(), ""},
          {"class", "\"inet\"", ""},
          {"state", "\"untried\"", "\"down\""},
          {"usable", "true", "false"},
          {"down", "\"\"", "\"unreachable\""},
          {"reason", "\"\"", (down_host["reason"]).dump()},
          {"server_version", "\"\"", ""},
          {"role", "\"\"", ""},
          {"lag_ms", "null", ""},
          {"lag_age_ms", "null", ""},
          {"too_far_behind", "false", ""},
          {"lone_protocol", "\"extended\"", ""},
          {"connections", "0", ""},
          {"in_flight", "0", ""},
          {"ok", "0", ""},
          {"failed", "0", ""},
          {"connects", "0", ""}});
  EXPECT_NE(down_host["reason"].get<std::string>().find("refused"), std::string::npos) << down_host;
  EXPECT_EQ(down_host["last_failure"]["text"], down_host["reason"]);
  EXPECT_GE(down_host["last_failure"]["age_ms"], 0);
  checked.insert({"pools.hosts.last_failure", "pools.hosts.last_failure.text",
                  "pools.hosts.last_failure.age_ms", "pools.hosts.connect_failures",
                  "pools.hosts.since_ms"});
  EXPECT_GE(down_host["connect_failures"], 1);
  EXPECT_GE(down_host["since_ms"], 0);
  const std::string server_version = world_.first().Sql("postgres", "SHOW server_version");
  int connects = 0, connections = 0, statements = 0;
  for (const Json& host : pool["hosts"]) {
    connects += host["connects"].get<int>();
    connections += host["connections"].get<int>();
    statements += host["latency"]["count"].get<int>();
    EXPECT_EQ(host["usable"], true) << host;
    EXPECT_EQ(host["server_version"], server_version) << host;
    EXPECT_EQ(host["role"], "primary") << host;
    EXPECT_EQ(host["lag_ms"], 0) << host;
    EXPECT_GE(host["lag_age_ms"], 0) << host;
    EXPECT_EQ(host["too_far_behind"], false) << host;
  }
  EXPECT_EQ(connections, pool["open"]);
  EXPECT_GE(connects, connections);
  EXPECT_GE(statements, 12);
  for (const char* field : {"count", "avg_us", "p50_us", "p90_us", "p99_us", "max_us"}) {
    checked.insert("pools.hosts.latency." + std::string(field));
    checked.insert("relay.tables.latency." + std::string(field));
  }

  for (const std::string window : {"1m", "5m", "15m"}) {
    for (const std::string field : {"span_ms", "done_per_s", "failed_per_s", "p50_us", "p99_us"}) {
      EXPECT_GE(TableOf(busy, "good.cf")["recent"][window][field], 0) << window << field;
      EXPECT_GE(pool["hosts"][0]["recent"][window][field], 0) << window << field;
      checked.insert("tables.recent." + window + "." + field);
      checked.insert("pools.hosts.recent." + window + "." + field);
    }
  }

  std::set<std::string> fields;
  CollectFields(busy, "", &fields);
  for (const std::string& field : fields) {
    EXPECT_TRUE(checked.contains(field)) << field << " is not asserted here";
  }
}

}  // namespace
}  // namespace proxymux::integration
