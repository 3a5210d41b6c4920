#include "config/yaml/yaml_loader.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>

#include "config/yaml/option_table.h"

namespace proxymux::config {
namespace {

LoadedConfig Load(std::string_view text) { return LoadConfigText(text, "p.yaml"); }

std::string Messages(const LoadedConfig& loaded) {
  std::string out;
  for (const Diagnostic& diagnostic : loaded.diagnostics) out += diagnostic.ToString() + "\n";
  return out;
}

bool Has(const LoadedConfig& loaded, std::string_view text) {
  return Messages(loaded).find(text) != std::string::npos;
}

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

// A default must never stand in for security that somebody asked for.
TEST(YamlLoader, WhatCouldHideAWishForSecurityBreaksEveryTable) {
  for (const std::string_view text : {
           "pool: {sslmode: requier}",
           "pool: {sslmode: }",
           "pool: {sslmode: [require]}",
           "pool: {ssl_mode: require}",
           "pool: {slmode: require}",
           "pool: {tls: yes}",
           "pool: {sslmode: require, sslmode: disable}",
           "pool: {sslrootcert: {file: /x}}",
           "pool: {x: {sslmode: require}}",
           "pool: sslmode=require",
           "pool: 4",
           "pool: []",
           "pools: 4",
           "pools: [a]",
           "pools: {[a]: {}}",
           "pools: {'': {connections: 2}}",
           "pool: {}\npool: {connections: 2}",
           "pools: {}\npools: {a: {connections: 2}}",
           "pool:\nsslmode: require",
           "poool: {sslmode: require}",
           "Pools: {a: {connections: 3}}",
           "table: {sslmode: require}",
           "tables: [{sslmode: require}]",
           "tables: {'/x': {sslmode: require}}",
           "log: {sslmode: require}",
           "relay: {socket: {sslmode: x}}",
           "[sslmode: require]",
           "sslmode",
       }) {
    const LoadedConfig loaded = Load(text);
    EXPECT_TRUE(loaded.all_tables_broken) << text;
    EXPECT_TRUE(loaded.HasErrors()) << text;
    EXPECT_EQ(loaded.all_tables_broken_reason.substr(0, 7), "p.yaml:") << text;
  }
}

TEST(YamlLoader, WhatCannotHideAWishForSecurityDoesNot) {
  for (const std::string_view text : {
           "pool: {connections: many}",
           "pool: {colour: red}",
           "pool: {connections: 4, connections: 5}",
           "table: 7",
           "tables: []",
           "table: {coalesce: maybe}",
           "table: {cache: {ttl: soon}}",
           "table: {cache: off}",
           "cache: {ttl: 1s}",
           "drain_timeout: {a: b}",
           "colour: {red: 1}",
           "- a\n- b\n",
           "just text",
           "? [a]\n: b\n",
       }) {
    const LoadedConfig loaded = Load(text);
    EXPECT_FALSE(loaded.all_tables_broken) << text;
    EXPECT_TRUE(loaded.HasErrors()) << text;
    EXPECT_EQ(loaded.config.pool, PoolSettings()) << text;
  }
}

TEST(YamlLoader, TextThatIsNoYamlMeansDefaultsUnlessItMentionsSecurity) {
  for (const std::string_view text : {"pool: {connections: 4", "a: b: c", "a:\n\t- b", "\"open",
                                      "%YAML 3.0\n---\n", "a: 1\n---\nb: 2\n", "a: &x 1\nb: *x\n",
                                      "a: *nosuch", "a: !!python/object 1", "a: @x", "}"}) {
    const LoadedConfig loaded = Load(text);
    ASSERT_EQ(loaded.diagnostics.size(), 1u) << text << Messages(loaded);
    EXPECT_TRUE(Has(loaded, "not readable as YAML")) << text;
    EXPECT_GT(loaded.diagnostics[0].line, 0) << text;
    EXPECT_FALSE(loaded.all_tables_broken) << text;
    const LoadedConfig with = Load(std::string(text) + "\n# SSL-Mode\n");
    EXPECT_TRUE(with.all_tables_broken) << text;
  }
}

TEST(YamlLoader, HostileTextEndsSoonAndHarmlessly) {
  constexpr std::size_t size = 200000;
  std::vector<std::string> texts = {std::string(size, '['),    std::string(size, '{'),
                                    std::string(size, '\n'),   std::string(size, '-'),
                                    std::string(size, 'a'),    std::string(size, '\0'),
                                    std::string(size, '\xff'), std::string(size, '\t'),
                                    std::string(size, '"'),    std::string(size, ':')};
  for (const std::string_view piece :
       {"- ", "? ", "a: ", "[a,", "{a: ", "&a ", "*a ", "!a ", "| \n", "a: 1\n", "- - - \n"}) {
    std::string text;
    while (text.size() + piece.size() < size) text += piece;
    texts.push_back(std::move(text));
  }
  std::string staircase;
  for (int depth = 0; staircase.size() < size / 2; ++depth) {
    staircase += std::string(static_cast<std::size_t>(depth), ' ') + "a:\n";
  }
  texts.push_back(staircase);
  std::string laughs = "a0: &a0 [x, x]\n";
  for (int i = 1; i < 40; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before + ", " + before +
              "]\n";
  }
  texts.push_back(laughs);
  const auto begin = std::chrono::steady_clock::now();
  for (const std::string& text : texts) {
    const LoadedConfig loaded = Load(text);
    EXPECT_EQ(loaded.config.pool, PoolSettings()) << text.substr(0, 10);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
}

TEST(YamlLoader, ManyErrorsAreCountedNotShown) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "x" + std::to_string(i) + ": 1\n";
  const LoadedConfig loaded = Load(text);
  ASSERT_EQ(loaded.diagnostics.size(), 101u);
  EXPECT_EQ(loaded.diagnostics.back().ToString(), "p.yaml: error: 900 more errors");
}

TEST(YamlLoader, NestingAndSizeHaveLimits) {
  std::string deep = "x";
  for (int i = 0; i < kMaxConfigDepth; ++i) deep = "{a: " + deep + "}";
  EXPECT_TRUE(Has(Load(deep), "unknown setting \"a\""));
  EXPECT_TRUE(Has(Load("{a: " + deep + "}"), "nested too deeply"));
  const LoadedConfig large = Load(std::string(kMaxConfigBytes + 1, '#'));
  EXPECT_TRUE(Has(large, "larger than 1MiB"));
  EXPECT_TRUE(large.all_tables_broken);
  EXPECT_EQ(Messages(Load(std::string(kMaxConfigBytes, '#'))), "");
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
