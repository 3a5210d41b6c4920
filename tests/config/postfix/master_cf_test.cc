#include "config/postfix/master_cf.h"

#include <gtest/gtest.h>

namespace proxymux::config {
namespace {

TEST(MasterCf, ReadsServicesOfOneAndOfSeveralLines) {
  const MasterCf master_cf = ParseMasterCf(
      "# service type ...\n"
      "smtp      inet  n  -  y  -  -  smtpd\n"
      "\n"
      "proxymap  unix  -  -  n  -  1\n"
      "  proxymux\n"
      "# a comment in between\n"
      "  -o { proxymap_service_name = proxymap }\n"
      "postlog unix-dgram n - n - 1 postlogd",
      "/etc/postfix/master.cf");
  EXPECT_TRUE(master_cf.diagnostics.empty());
  ASSERT_EQ(master_cf.services.size(), 3u);
  EXPECT_EQ(master_cf.services[0].name + " " + master_cf.services[0].type, "smtp inet");
  EXPECT_EQ(master_cf.services[1].command, "proxymux");
  EXPECT_EQ(master_cf.services[1].line, 4);
  EXPECT_EQ(master_cf.services[2].command, "postlogd");
  EXPECT_EQ(master_cf.services[2].line, 8);
}

TEST(MasterCf, ReadsTheFieldsAndTheSettingsOfAService) {
  const MasterCf master_cf = ParseMasterCf(
      "submission inet n - y - 20 smtpd -v\n"
      "  -o syslog_name=postfix/submission\n"
      "  -o smtpd_client_restrictions=permit_mynetworks,reject -ox=1\n"
      "  -o { virtual_alias_maps = proxy:pgsql:/a.cf, hash:/b }\n"
      "pipe unix - n n - - pipe flags=R user=x argv=/bin/x -o y=1\n",
      "master.cf");
  ASSERT_EQ(master_cf.services.size(), 2u);
  const MasterService& service = master_cf.services[0];
  EXPECT_EQ(service.private_, "n");
  EXPECT_EQ(service.unprivileged, "-");
  EXPECT_EQ(service.chroot, "y");
  EXPECT_EQ(service.wakeup, "-");
  EXPECT_EQ(service.process_limit, "20");
  const std::vector<MasterOverride> expected = {
      {"syslog_name", "postfix/submission", 2},
      {"smtpd_client_restrictions", "permit_mynetworks,reject", 3},
      {"x", "1", 3},
      {"virtual_alias_maps", "proxy:pgsql:/a.cf, hash:/b", 4}};
  EXPECT_EQ(service.overrides, expected);
  EXPECT_TRUE(master_cf.services[1].overrides.empty()) << "arguments of the command";
}

TEST(MasterCf, TheLastLineOfANameAndTypeCounts) {
  const MasterCf master_cf = ParseMasterCf(
      "a unix - - n - - one\na inet - - n - - two\na unix - - n - - three\n", "master.cf");
  ASSERT_NE(master_cf.InForce("a", "unix"), nullptr);
  EXPECT_EQ(master_cf.InForce("a", "unix")->command, "three");
  EXPECT_EQ(master_cf.InForce("a", "inet")->command, "two");
  EXPECT_EQ(master_cf.InForce("b", "unix"), nullptr);
}

TEST(MasterCf, KnowsWhatUpgradeConfigurationLooksFor) {
  const auto names_it = [](const char* text) {
    return ParseMasterCf(text, "master.cf").names_stock_proxymap;
  };
  EXPECT_TRUE(names_it("x unix - - n - - x\nproxymap unix - - n - - proxymap\n"));
  EXPECT_TRUE(names_it("proxymap unix - - n - 1 proxymux -o proxymap_service_name=proxymap"));
  EXPECT_FALSE(names_it("proxymap unix - - n - 1 proxymux\n"));
  EXPECT_FALSE(names_it("proxymap unix - - n - 1 proxymux\n  -o proxymap_service_name=proxymap\n"));
  EXPECT_FALSE(names_it("#proxymap unix - - n - - proxymap\n"));
  EXPECT_FALSE(names_it(""));
}

TEST(MasterCf, ALineThatIsNoServiceIsLocated) {
  const MasterCf master_cf = ParseMasterCf("a unix - - n - - one\nb unix - -\n", "master.cf");
  EXPECT_EQ(master_cf.services.size(), 1u);
  ASSERT_EQ(master_cf.diagnostics.size(), 1u);
  EXPECT_TRUE(master_cf.diagnostics[0].ToString().starts_with("master.cf:2: error: "));
}

}  // namespace
}  // namespace proxymux::config
