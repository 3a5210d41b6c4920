// An error in proxymux.yaml that could hide a wish for security: no table is served without it.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "config/yaml/yaml_loader.h"
#include "tests/config/yaml/loaded_text.h"

namespace proxymux::config {
namespace {

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

}  // namespace
}  // namespace proxymux::config
