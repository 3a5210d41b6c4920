#include "proxy/relay/stock_command.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/postfix/parameter_expansion.h"

namespace proxymux::proxy {
namespace {

using Words = std::vector<std::string>;

TEST(StockCommand, IsWhatMasterWouldPassPlusOurApproval) {
  StockLaunch launch;
  launch.approved = {"unix:passwd.byname", "hash:/etc/aliases"};
  launch.verbosity = 2;
  launch.overrides = {"smtputf8_enable=no", "proxy_read_maps=proxy:unix:group.byname"};
  launch.environment = {{"MAIL_CONFIG", "/etc/postfix"}, {"PATH", "/bin"}, {"LANG", "C"}};
  launch.generation = 10;
  const StockCommand command = MakeStockCommand(launch);
  EXPECT_EQ(command.arguments,
            (Words{"proxymap", "-l", "-t", "unix", "-v", "-v", "-o", "smtputf8_enable=no", "-o",
                   "proxy_read_maps=proxy:unix:group.byname", "-o",
                   "proxy_read_maps=proxy:unix:passwd.byname proxy:hash:/etc/aliases"}));
  EXPECT_EQ(command.environment, (Words{"MAIL_CONFIG=/etc/postfix", "LANG=C", "GENERATION=12"}));
}

TEST(StockCommand, DollarInATableNameIsNotExpandedAgain) {
  StockLaunch launch;
  launch.approved = {"inline:{a=$b}"};
  EXPECT_EQ(MakeStockCommand(launch).arguments.back(), "proxy_read_maps=proxy:inline:{a=$$b}");
}

// The value of a parameter, as Postfix makes it of the command line.
std::string Expanded(const Words& arguments, const std::string& name) {
  std::map<std::string, std::string> settings;
  for (std::size_t i = 0; i + 1 < arguments.size(); ++i) {
    if (arguments[i] != "-o") continue;
    const std::size_t equals = arguments[i + 1].find('=');
    settings[arguments[i + 1].substr(0, equals)] = arguments[i + 1].substr(equals + 1);
  }
  const config::ParameterLookup find = [&](const std::string& other) -> std::optional<std::string> {
    const auto found = settings.find(other);
    if (found == settings.end()) return std::nullopt;
    return found->second;
  };
  const config::ParameterExpansion expansion = config::ExpandParameters(settings[name], find);
  EXPECT_EQ(expansion.error, "");
  return expansion.text;
}

// execve(2): MAX_ARG_STRLEN.
TEST(StockCommand, ALongApprovalGoesInPartsThatTheSystemTakes) {
  for (const std::size_t blanks : {0, 1, 3}) {
    StockLaunch launch;
    std::string whole;
    for (int i = 0; i < 20000; ++i) {
      launch.approved.push_back("inline:{a" + std::to_string(i) + "=" + std::string(blanks, ' ') +
                                "$b" + std::to_string(i % 7) + "}");
      whole += (i > 0 ? " proxy:" : "proxy:") + launch.approved.back();
    }
    const StockCommand command = MakeStockCommand(launch);
    for (const std::string& word : command.arguments) {
      ASSERT_LT(word.size(), std::size_t{128} << 10);
      ASSERT_EQ(word.find_last_not_of(" \t"), word.size() - 1);
      if (word.size() <= 10) continue;
      ASSERT_NE(word[word.find('=') + 1], ' ');  // of a setting
    }
    EXPECT_TRUE(Expanded(command.arguments, "proxy_read_maps") == whole);
  }
}

TEST(StockCommand, NothingApprovedOverridesWhatMainCfApproves) {
  EXPECT_EQ(MakeStockCommand(StockLaunch()).arguments.back(), "proxy_read_maps=");
}

}  // namespace
}  // namespace proxymux::proxy
