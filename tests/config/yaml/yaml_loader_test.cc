// proxymux.yaml to settings: what each section means, what is said of errors, and what they cost.
#include "config/yaml/yaml_loader.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <string>
#include <string_view>

#include "tests/config/yaml/loaded_text.h"

namespace proxymux::config {
namespace {

TEST(YamlLoader, NothingMeansEveryDefault) {
  for (const std::string_view text :
       {"", "\n", "# only a comment\n", "---\n", "~\n", "{}", "pool:\npools:\ntable:\ntables:\n",
        "admin:\nlog: {}\nrelay:\n", "\xEF\xBB\xBFpool: {}\n"}) {
    const LoadedConfig loaded = Load(text);
    EXPECT_EQ(Messages(loaded), "") << text;
    EXPECT_EQ(loaded.config.pool, PoolSettings()) << text;
    EXPECT_FALSE(loaded.all_tables_broken);
  }
}

TEST(YamlLoader, ReadsEverySection) {
  const LoadedConfig loaded = Load(R"(
drain_timeout: 2s
greeting: false
max_request: 128KiB
max_clients: 100
table_check_interval: 1s
admin: {listen: "127.0.0.1:9187"}
log:
  level: debug
relay: {socket: private/other, processes: 3, idle: 5m, timeout: 1m}
pools:
  "mail@db1,db2/mail": {connections: 8}
pool:
  connections: 2
  sslmode: verify-full
tables:
  proxy:pgsql:/etc/postfix/a.cf: {coalesce: off, cache: {negative_ttl: 2s}}
  pgsql:/etc/postfix/b.cf:
table: {query_timeout: 3s, cache: {ttl: 1m, max_entries: 7}}
)");
  EXPECT_EQ(Messages(loaded), "");
  const ServerConfig& config = loaded.config;
  EXPECT_EQ(config.drain_timeout, Milliseconds(2000));
  EXPECT_FALSE(config.greeting);
  EXPECT_EQ(config.max_request, 131072u);
  EXPECT_EQ(config.max_clients, 100);
  EXPECT_EQ(config.table_check_interval, Milliseconds(1000));
  EXPECT_EQ(config.admin_listen, "127.0.0.1:9187");
  EXPECT_EQ(config.log_level, LogLevel::kDebug);
  EXPECT_EQ(config.relay_socket, "private/other");
  EXPECT_EQ(config.relay_processes, 3);
  EXPECT_EQ(config.relay_idle, Milliseconds(300000));
  EXPECT_EQ(config.relay_timeout, Milliseconds(60000));
  EXPECT_EQ(config.pool.connections, 2);
  // `pools:` stands before `pool:` and is merged with it all the same.
  const PoolSettings& pool = config.pools.at("mail@db1,db2/mail");
  EXPECT_EQ(pool.connections, 8);
  EXPECT_EQ(pool.sslmode, "verify-full");
  EXPECT_EQ(config.tables.at("pgsql:/etc/postfix/a.cf").coalesce, Coalesce::kOff);
  EXPECT_EQ(config.tables.at("pgsql:/etc/postfix/a.cf").cache_negative_ttl, Milliseconds(2000));
  EXPECT_EQ(config.tables.at("pgsql:/etc/postfix/a.cf").cache_ttl, Milliseconds(60000));
  EXPECT_EQ(config.tables.at("pgsql:/etc/postfix/b.cf").cache_max_entries, 7);
  EXPECT_EQ(config.tables.at("pgsql:/etc/postfix/a.cf").query_timeout, Milliseconds(3000));
  EXPECT_EQ(config.tables.at("pgsql:/etc/postfix/b.cf"), config.table);
}

TEST(YamlLoader, AllErrorsAreReportedAtOnceWithTheirPlaces) {
  const LoadedConfig loaded = Load(
      "drain_timeout: 5\n"
      "max_client: 7\n"
      "log:\n"
      "  level: inof\n"
      "  colour: red\n"
      "pool:\n"
      "  connections: [4]\n"
      "  connections: 5\n"
      "admin: off\n");
  EXPECT_EQ(Messages(loaded),
            "p.yaml:1:16: error: drain_timeout: the unit is missing: expected a whole number and a "
            "unit (ms, s, m, h, d), such as 500ms\n"
            "p.yaml:2:1: error: unknown setting \"max_client\" (did you mean \"max_clients\"?)\n"
            "p.yaml:4:10: error: log.level: \"inof\" is none of debug, info, warning, error (did "
            "you mean \"info\"?)\n"
            "p.yaml:5:3: error: unknown setting \"colour\" in \"log\"\n"
            "p.yaml:7:16: error: connections: expected number, 1 to 1000, not a list\n"
            "p.yaml:8:3: error: \"connections\" is set twice (it is already set in line 7)\n"
            "p.yaml:9:8: error: \"admin\" is a section: expected settings below it, not a single "
            "value\n");
  EXPECT_TRUE(loaded.HasErrors());
  // None of them weakens anything: every setting has its default, and tables are served.
  EXPECT_EQ(loaded.config.pool, PoolSettings());
  EXPECT_EQ(loaded.config.drain_timeout, ServerConfig().drain_timeout);
  EXPECT_FALSE(loaded.all_tables_broken);
  EXPECT_TRUE(loaded.broken_pools.empty());
  EXPECT_TRUE(loaded.broken_tables.empty());
}

TEST(YamlLoader, AnErrorDoesNotTouchTheSettingsBesideIt) {
  const LoadedConfig loaded =
      Load("max_clients: lots\ngreeting: false\npool: {x: 1, connections: 9}");
  EXPECT_FALSE(loaded.config.greeting);
  EXPECT_EQ(loaded.config.pool.connections, 9);
  EXPECT_EQ(loaded.diagnostics.size(), 2u);
}

TEST(YamlLoader, AnErrorInATablesSectionBreaksThatTable) {
  const LoadedConfig loaded = Load(R"(
tables:
  "pgsql:/a.cf": {coalesce: sometimes}
  "proxy:pgsql:/b.cf": {unknown: 1}
  "pgsql:/c.cf": {coalesce: off}
  "pgsql:/d.cf": 3
  "pgsql:/e.cf": {sslmode: require}
  "pgsql:/f.cf": {}
  "pgsql:/f.cf": {}
  "pgsql:/g.cf": {}
  "proxy:pgsql:/g.cf": {}
  "pgsql:/h.cf": {max_value: }
  "pgsql:/i.cf": {cache: 1s}
  "pgsql:/j.cf": {cache: {ttl: 1s, tll: 2s}}
  "pgsql:/k.cf": {cache.ttl: 1s}
  "pgsql:/l.cf": {cache: {ttl: 2h}}
  "pgsql:/m.cf": {cache: }
)");
  EXPECT_EQ(loaded.broken_tables,
            (std::set<std::string>{"pgsql:/a.cf", "pgsql:/b.cf", "pgsql:/d.cf", "pgsql:/e.cf",
                                   "pgsql:/f.cf", "pgsql:/g.cf", "pgsql:/h.cf", "pgsql:/i.cf",
                                   "pgsql:/j.cf", "pgsql:/k.cf", "pgsql:/l.cf"}));
  EXPECT_TRUE(Has(loaded, "\"cache\" is a section"));
  EXPECT_TRUE(Has(loaded, "unknown setting \"tll\" in \"cache\" (did you mean \"ttl\"?)"));
  EXPECT_TRUE(Has(loaded, "write it as a section: `cache: {ttl: ...}`"));
  EXPECT_TRUE(Has(loaded, "cache.ttl: 2h is out of bounds"));
  EXPECT_TRUE(Has(loaded, "belongs in `pool:`"));
  EXPECT_FALSE(loaded.all_tables_broken);
}

TEST(YamlLoader, NamesInTablesMustBePgsqlTables) {
  const LoadedConfig loaded =
      Load("tables: {/etc/postfix/a.cf: {}, 'hash:/x': {}, 'pgsql:': {}, 'proxy:': {}}");
  EXPECT_EQ(loaded.diagnostics.size(), 4u);
  EXPECT_TRUE(Has(loaded, "write \"pgsql:/etc/postfix/a.cf\""));
  EXPECT_EQ(loaded.broken_tables, std::set<std::string>{"pgsql:/etc/postfix/a.cf"});
}

TEST(YamlLoader, AnErrorInAPoolsSectionBreaksThatPool) {
  const LoadedConfig loaded = Load(R"(
pools:
  a: {sslmode: requier}
  b: {ssl_mode: require}
  c: {connections: 4}
  d: [sslmode]
  e: {}
  e: {sslmode: require}
  f: {sslcert: }
)");
  EXPECT_EQ(loaded.broken_pools, (std::set<std::string>{"a", "b", "d", "e", "f"}));
  EXPECT_FALSE(loaded.all_tables_broken);
  EXPECT_TRUE(Has(loaded, "did you mean \"require\"?"));
  EXPECT_TRUE(Has(loaded, "did you mean \"sslmode\"?"));
}

class YamlLoaderFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "yaml_loader_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override {
    unlink((directory_ + "/p.yaml").c_str());
    rmdir(directory_.c_str());
  }
  std::string directory_;
};

TEST_F(YamlLoaderFile, AnAbsentFileMeansDefaultsWithoutAWord) {
  const LoadedConfig loaded = LoadConfigFile(directory_ + "/p.yaml");
  EXPECT_TRUE(loaded.diagnostics.empty());
  EXPECT_FALSE(loaded.all_tables_broken);
  EXPECT_EQ(loaded.config.pool, PoolSettings());
}

// Somebody meant there to be a file, and it may have asked for TLS.
TEST_F(YamlLoaderFile, ALinkThatLeadsNowhereIsAnErrorAndNoAbsentFile) {
  const std::string path = directory_ + "/p.yaml";
  ASSERT_EQ(symlink("/nonexistent/p.yaml", path.c_str()), 0);
  const LoadedConfig loaded = LoadConfigFile(path);
  EXPECT_TRUE(loaded.HasErrors());
  EXPECT_TRUE(loaded.all_tables_broken);
}

TEST_F(YamlLoaderFile, AFileIsReadAndNamedInDiagnostics) {
  const std::string path = directory_ + "/p.yaml";
  std::ofstream(path) << "max_clients: 5\nbad: 1\n";
  const LoadedConfig loaded = LoadConfigFile(path);
  EXPECT_EQ(loaded.config.max_clients, 5);
  EXPECT_EQ(Messages(loaded).find(path + ":2:1: error: "), 0u);
}

TEST_F(YamlLoaderFile, WhatCannotBeReadBreaksEveryTable) {
  const LoadedConfig is_directory = LoadConfigFile(directory_);
  EXPECT_TRUE(is_directory.all_tables_broken);
  EXPECT_TRUE(Has(is_directory, "not a regular file"));
  const std::string fifo = directory_ + "/p.yaml";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_TRUE(LoadConfigFile(fifo).all_tables_broken) << "and does not wait for a writer";
  EXPECT_TRUE(LoadConfigFile(fifo + "/below").all_tables_broken);
}

}  // namespace
}  // namespace proxymux::config
