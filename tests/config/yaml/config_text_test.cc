#include "config/yaml/config_text.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "config/yaml/option_table.h"
#include "config/yaml/option_value.h"
#include "config/yaml/yaml_loader.h"

namespace proxymux::config {
namespace {

std::string ReadDocument(const std::string& name) {
  std::ifstream file("docs/" + name);
  EXPECT_TRUE(file.good()) << name;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

ServerConfig LoadWithoutErrors(const std::string& text) {
  const LoadedConfig loaded = LoadConfigText(text, "text");
  for (const Diagnostic& diagnostic : loaded.diagnostics) {
    ADD_FAILURE() << diagnostic.ToString() << "\nin:\n" << text;
  }
  return loaded.config;
}

void ExpectEqual(const ServerConfig& a, const ServerConfig& b) {
  for (const Option& option : Options()) {
    if (option.scope() == OptionScope::kServer) {
      EXPECT_EQ(OptionText(option, a), OptionText(option, b)) << option.name;
    }
  }
  EXPECT_EQ(a.pool, b.pool);
  EXPECT_EQ(a.pools, b.pools);
  EXPECT_EQ(a.table, b.table);
  EXPECT_EQ(a.tables, b.tables);
}

ServerConfig Unusual() {
  ServerConfig config;
  config.drain_timeout = Milliseconds(1500);
  config.greeting = false;
  config.admin_listen = "[::1]:9187";
  config.log_level = LogLevel::kError;
  config.relay_socket = "private/\"odd\" \\ name";
  config.pool.connections = 7;
  config.pool.sslmode = "require";
  config.pools["mail@db1,db2/\"m\"\n"] = config.pool;
  config.pools["other"] = config.pool;
  config.pools["other"].sslmode = "";
  config.table.coalesce = Coalesce::kOff;
  config.table.cache_ttl = Milliseconds(1500);
  config.tables["pgsql:/etc/postfix/a b.cf"] = config.table;
  config.tables["pgsql:/etc/postfix/a b.cf"].max_value = 1000;
  config.tables["pgsql:/etc/postfix/a b.cf"].cache_max_entries = 5;
  return config;
}

TEST(ConfigText, WhatIsShownLoadsBackToTheSameValues) {
  ExpectEqual(LoadWithoutErrors(RenderConfig(ServerConfig())), ServerConfig());
  ExpectEqual(LoadWithoutErrors(RenderConfig(Unusual())), Unusual());
}

TEST(ConfigText, OnlyWhatDiffersFromItsDefaultIsMarked) {
  EXPECT_EQ(RenderConfig(ServerConfig()).find('#'), std::string::npos);
  const std::string text = RenderConfig(Unusual());
  EXPECT_TRUE(text.starts_with("drain_timeout: 1500ms  # default: 5s\n")) << text;
  EXPECT_NE(text.find("  sslmode: \"require\"  # default: \"\"\n"), std::string::npos);
  EXPECT_NE(text.find("    sslmode: \"\"  # pool: \"require\"\n"), std::string::npos);
  EXPECT_NE(text.find("\n  pipeline_depth: 32\n"), std::string::npos);
}

TEST(ConfigText, EveryOptionIsShown) {
  const std::string text = RenderConfig(ServerConfig());
  for (const Option& option : Options()) {
    const std::string_view leaf = option.name.substr(option.name.find('.') + 1);
    EXPECT_NE(text.find(std::string(leaf) + ": "), std::string::npos) << option.name;
  }
}

TEST(ConfigText, TheReferenceLoadsAsItIsAndWithEverySettingTakenIn) {
  const std::string reference = RenderReference();
  ExpectEqual(LoadWithoutErrors(reference), ServerConfig());
  // Settings have no blank behind their #, explanations do.
  std::istringstream lines(reference);
  std::string taken_in;
  int settings = 0;
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 80u) << line;
    const std::size_t hash = line.find('#');
    if (hash != std::string::npos && hash + 1 < line.size() && line[hash + 1] != ' ') {
      line.erase(hash, 1);
      ++settings;
    }
    taken_in += line + '\n';
  }
  EXPECT_EQ(settings, static_cast<int>(Options().size()) + 2);
  ServerConfig expected;
  expected.pools["mail@db1.example.com,db2.example.com/mail"].connections = 8;
  expected.tables["pgsql:/etc/postfix/virtual-aliases.cf"].query_timeout = Milliseconds(2000);
  ExpectEqual(LoadWithoutErrors(taken_in), expected);
}

TEST(ConfigText, TheReferenceExplainsEveryOption) {
  const std::string reference = RenderReference();
  for (const Option& option : Options()) {
    const std::string_view leaf = option.name.substr(option.name.find('.') + 1);
    EXPECT_NE(reference.find("#" + std::string(leaf) + ": "), std::string::npos) << option.name;
    EXPECT_NE(reference.find("# " + std::string(option.help.substr(0, 30))), std::string::npos);
  }
  EXPECT_NE(reference.find("A change needs a restart."), std::string::npos);
}

TEST(ConfigText, TheExampleFileIsTheReference) {
  EXPECT_EQ(ReadDocument("proxymux.yaml.example"), RenderReference())
      << "write it anew: proxymux config reference > docs/proxymux.yaml.example";
}

TEST(ConfigText, TheManualPageHasEveryOptionWithItsDefault) {
  const std::string manual = ReadDocument("proxymux.yaml.5");
  for (const Option& option : Options()) {
    const std::string_view leaf = option.name.substr(option.name.find('.') + 1);
    const std::string item = "\n.It Cm " + std::string(leaf) + " Pq default: ";
    const std::string usual =
        option.default_text.empty() ? "empty" : std::string(option.default_text);
    EXPECT_NE(manual.find(item + usual + "\n"), std::string::npos) << option.name << item << usual;
    for (const std::string_view word : option.words) {
      EXPECT_NE(manual.find(word), std::string::npos) << option.name << ": " << word;
    }
  }
}

TEST(ConfigText, TheManualPagesExamplesLoad) {
  const std::string manual = ReadDocument("proxymux.yaml.5");
  const std::string begin = ".Bd -literal -offset indent\n";
  int examples = 0;
  for (std::size_t at = manual.find(begin, manual.find(".Sh EXAMPLES")); at != std::string::npos;
       at = manual.find(begin, at + 1)) {
    const std::size_t text = at + begin.size();
    LoadWithoutErrors(manual.substr(text, manual.find(".Ed", text) - text));
    ++examples;
  }
  EXPECT_EQ(examples, 2);
}

}  // namespace
}  // namespace proxymux::config
