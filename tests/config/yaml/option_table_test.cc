#include "config/yaml/option_table.h"

#include <gtest/gtest.h>

#include <set>

#include "config/values/server_config.h"
#include "config/yaml/option_value.h"

namespace proxymux::config {
namespace {

std::string DefaultOf(const Option& option) {
  switch (option.scope()) {
    case OptionScope::kServer:
      return OptionText(option, ServerConfig());
    case OptionScope::kPool:
      return OptionText(option, PoolSettings());
    case OptionScope::kTable:
      return OptionText(option, TableSettings());
  }
  return "";
}

// Sets the option in a fresh struct of its scope and returns what is then in it, or the error.
std::string SetAndRead(const Option& option, std::string_view text) {
  ServerConfig server;
  PoolSettings pool;
  TableSettings table;
  switch (option.scope()) {
    case OptionScope::kServer:
      if (auto error = SetOption(option, text, &server)) return *error;
      return OptionText(option, server);
    case OptionScope::kPool:
      if (auto error = SetOption(option, text, &pool)) return *error;
      return OptionText(option, pool);
    case OptionScope::kTable:
      if (auto error = SetOption(option, text, &table)) return *error;
      return OptionText(option, table);
  }
  return "";
}

TEST(OptionTable, DefaultsOfTableAndStructsAgree) {
  for (const Option& option : Options()) {
    EXPECT_EQ(option.default_text, DefaultOf(option)) << option.name;
    EXPECT_EQ(SetAndRead(option, option.default_text), option.default_text) << option.name;
  }
}

TEST(OptionTable, EveryRowIsCompleteAndItsNameUniqueInItsScope) {
  std::set<std::pair<OptionScope, std::string_view>> names;
  for (const Option& option : Options()) {
    EXPECT_TRUE(names.insert({option.scope(), option.name}).second) << option.name;
    EXPECT_FALSE(option.help.empty()) << option.name;
    EXPECT_TRUE(option.help.ends_with('.')) << option.name;
    EXPECT_FALSE(DescribeType(option).empty()) << option.name;
    EXPECT_EQ(FindOption(option.scope(), option.name), &option);
    const bool numeric = option.type() == OptionType::kDuration ||
                         option.type() == OptionType::kSize ||
                         option.type() == OptionType::kInteger;
    EXPECT_EQ(numeric, option.maximum > option.minimum) << option.name;
  }
  EXPECT_EQ(FindOption(OptionScope::kPool, "drain_timeout"), nullptr);
  EXPECT_EQ(FindOption(OptionScope::kPool, ""), nullptr);
}

TEST(OptionTable, EverySettingSetsAMemberOfItsOwn) {
  // A row that was copied with the pointer of another changes what is not its own.
  for (const Option& changed : Options()) {
    if (changed.scope() != OptionScope::kPool) continue;
    PoolSettings pool;
    std::string value = "changed";
    if (changed.type() == OptionType::kInteger) value = "7";
    if (changed.type() == OptionType::kDuration) value = "777ms";
    if (!changed.words.empty()) value = changed.words.back();
    ASSERT_EQ(SetOption(changed, value, &pool), std::nullopt) << changed.name;
    for (const Option& option : Options()) {
      if (option.scope() != OptionScope::kPool) continue;
      EXPECT_EQ(OptionText(option, pool), &option == &changed ? value : option.default_text)
          << changed.name << " against " << option.name;
    }
  }
}

TEST(OptionTable, SecurityOptionsAreMarked) {
  for (const std::string_view name : {"sslmode", "sslrootcert", "sslcert", "sslkey"}) {
    ASSERT_NE(FindOption(OptionScope::kPool, name), nullptr);
    EXPECT_TRUE(FindOption(OptionScope::kPool, name)->security) << name;
  }
  EXPECT_FALSE(FindOption(OptionScope::kPool, "connections")->security);
}

TEST(OptionTable, BoundsAreInclusive) {
  const Option& option = *FindOption(OptionScope::kPool, "connections");
  EXPECT_EQ(SetAndRead(option, "1"), "1");
  EXPECT_EQ(SetAndRead(option, "1000"), "1000");
  EXPECT_NE(SetAndRead(option, "0").find("expected 1 to 1000"), std::string::npos);
  EXPECT_NE(SetAndRead(option, "1001").find("out of bounds"), std::string::npos);
  EXPECT_NE(SetAndRead(option, "99999999999999999999").find("expected 1 to 1000"),
            std::string::npos);
  EXPECT_NE(SetAndRead(option, "4.5").find("whole number"), std::string::npos);
  EXPECT_NE(SetAndRead(option, "").find("whole number"), std::string::npos);
  const Option& size = *FindOption(OptionScope::kServer, "max_request");
  EXPECT_NE(SetAndRead(size, "18446744073709551615B").find("out of bounds"), std::string::npos);
  const Option& time = *FindOption(OptionScope::kServer, "drain_timeout");
  EXPECT_NE(SetAndRead(time, "1d").find("expected 0s to 1m"), std::string::npos);
}

TEST(OptionTable, WordsAreChecked) {
  const Option& level = *FindOption(OptionScope::kServer, "log.level");
  EXPECT_EQ(SetAndRead(level, "debug"), "debug");
  EXPECT_EQ(SetAndRead(level, "error"), "error");
  EXPECT_NE(SetAndRead(level, "loud").find("debug, info, warning, error"), std::string::npos);
  const Option& sslmode = *FindOption(OptionScope::kPool, "sslmode");
  EXPECT_EQ(SetAndRead(sslmode, "verify-full"), "verify-full");
  EXPECT_EQ(SetAndRead(sslmode, ""), "");
  EXPECT_NE(SetAndRead(sslmode, "verify_full").find("none of"), std::string::npos);
  const Option& greeting = *FindOption(OptionScope::kServer, "greeting");
  EXPECT_EQ(SetAndRead(greeting, "no"), "false");
  EXPECT_NE(SetAndRead(greeting, "maybe").find("true"), std::string::npos);
}

TEST(OptionTable, EnumeratorsMeanTheirWords) {
  ServerConfig server;
  EXPECT_EQ(SetOption(*FindOption(OptionScope::kServer, "log.level"), "warning", &server),
            std::nullopt);
  EXPECT_EQ(server.log_level, LogLevel::kWarning);
  TableSettings table;
  EXPECT_EQ(SetOption(*FindOption(OptionScope::kTable, "coalesce"), "off", &table), std::nullopt);
  EXPECT_EQ(table.coalesce, Coalesce::kOff);
  // The second was the only spelling once.
  for (const std::string_view word : {"in_flight", "in-flight"}) {
    table.coalesce = Coalesce::kOff;
    EXPECT_EQ(SetOption(*FindOption(OptionScope::kTable, "coalesce"), word, &table), std::nullopt);
    EXPECT_EQ(table.coalesce, Coalesce::kInFlight) << word;
  }
  EXPECT_EQ(SetOption(*FindOption(OptionScope::kTable, "coalesce"), "unsent", &table),
            std::nullopt);
  EXPECT_EQ(table.coalesce, Coalesce::kUnsent);
  EXPECT_NE(SetOption(*FindOption(OptionScope::kTable, "coalesce"), "in flight", &table),
            std::nullopt);
  EXPECT_EQ(SetOption(*FindOption(OptionScope::kTable, "unquoted_placeholders"), "any", &table),
            std::nullopt);
  EXPECT_EQ(table.unquoted_placeholders, UnquotedPlaceholders::kAny);
}

TEST(OptionTable, AListenAddressHasAForm) {
  const Option& listen = *FindOption(OptionScope::kServer, "admin.listen");
  for (const std::string_view text : {"", "off", "/run/p.sock", "127.0.0.1:9187", "[::1]:9187"}) {
    EXPECT_EQ(SetAndRead(listen, text), text);
  }
  for (const std::string_view text :
       {"on", "9187", ":9187", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:http",
        "127.0.0.1:-1", "127.0.0.1:80 ", "localhost:80", "::1:80", "[127.0.0.1]:80"}) {
    EXPECT_NE(SetAndRead(listen, text).find("is not"), std::string::npos) << text;
  }
}

TEST(OptionTable, TextMayNotHoldControlCharacters) {
  const Option& name = *FindOption(OptionScope::kPool, "application_name");
  EXPECT_EQ(SetAndRead(name, "mail relay"), "mail relay");
  EXPECT_NE(SetAndRead(name, std::string_view("a\0b", 3)).find("control"), std::string::npos);
  EXPECT_NE(SetAndRead(name, "a\nb").find("control"), std::string::npos);
  EXPECT_NE(SetAndRead(name, std::string(5000, 'a')).find("4096"), std::string::npos);
}

TEST(OptionTable, AnErrorLeavesTheOldValueAndAnotherStructIsRefused) {
  PoolSettings pool;
  pool.connections = 9;
  EXPECT_NE(SetOption(*FindOption(OptionScope::kPool, "connections"), "many", &pool), std::nullopt);
  EXPECT_EQ(pool.connections, 9);
  EXPECT_NE(SetOption(*FindOption(OptionScope::kTable, "coalesce"), "off", &pool), std::nullopt);
}

}  // namespace
}  // namespace proxymux::config
