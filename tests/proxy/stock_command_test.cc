#include "proxy/stock_command.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

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

TEST(StockCommand, NothingApprovedOverridesWhatMainCfApproves) {
  EXPECT_EQ(MakeStockCommand(StockLaunch()).arguments.back(), "proxy_read_maps=");
}

}  // namespace
}  // namespace proxymux::proxy
