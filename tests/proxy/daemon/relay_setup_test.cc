// What stock daemons for domain lists are started with.
#include "proxy/daemon/relay_setup.h"

#include <gtest/gtest.h>

namespace proxymux::proxy {
namespace {

TEST(RelaySetup, DaemonsOfADomainListApproveItsTableAloneUnderEveryServiceName) {
  PostfixSettings postfix;
  postfix.approved.tables = {"hash:/a", "pgsql:/b.cf"};
  postfix.daemon_directory = "/daemons";
  postfix.queue_directory = "/queue";
  DaemonOptions options;
  options.service_name = "proxymux";
  options.config_directory = "/config";
  options.overrides = {{"smtputf8_enable", "no"}};
  config::ServerConfig server;
  server.relay_idle = std::chrono::seconds(7);
  server.relay_timeout = std::chrono::seconds(8);
  const RelayOptions made = MakeDomainRelayOptions("inline:{a=b, c=$d}", options, postfix, server);
  EXPECT_EQ(made.policy.mode, StockMode::kSpawn);
  EXPECT_LE(made.policy.processes, 3u);
  EXPECT_EQ(made.policy.process_idle, std::chrono::seconds(7));
  EXPECT_EQ(made.policy.request_timeout, std::chrono::seconds(8));
  EXPECT_EQ(made.launch.program, "/daemons/proxymap");
  EXPECT_EQ(made.launch.environment.at("MAIL_CONFIG"), "/config");
  const std::vector<std::string> arguments = MakeStockCommand(made.launch).arguments;
  ASSERT_GE(arguments.size(), 4u);
  EXPECT_EQ(arguments.back(), "proxy_read_maps=proxy:inline:{a=b, c=$$d}");
  EXPECT_EQ(arguments[arguments.size() - 3], "smtputf8_enable=no");
}

TEST(RelaySetup, StockIsSpokenToInTheDialectOfItsRelease) {
  PostfixSettings postfix;
  for (const config::MailVersion version : {config::MailVersion{3, 4}, {3, 7}, {3, 10}}) {
    postfix.mail_version = version;
    EXPECT_EQ(StockDialect(postfix), protocol::Dialect::kLegacy) << version.ToString();
  }
  for (const config::MailVersion version : {config::MailVersion{3, 11}, {3, 12}, {4, 0}}) {
    postfix.mail_version = version;
    EXPECT_EQ(StockDialect(postfix), protocol::Dialect::kInstanceFlags) << version.ToString();
  }
}

}  // namespace
}  // namespace proxymux::proxy
