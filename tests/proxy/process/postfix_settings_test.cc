// main.cf through the installed postconf(1), in configuration directories of the test's own.
#include "proxy/process/postfix_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/config/values/messages.h"
#include "tests/harness/temp_directory.h"

namespace proxymux::proxy {
namespace {

using config::Messages;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kMainCf[] =
    "compatibility_level = 3.6\nmyhostname = mail.example.com\nmynetworks = 127.0.0.1\n"
    "queue_directory = /var/spool/test\ndata_directory = /var/lib/test\n"
    "maps = proxy:pgsql:/etc/postfix\nvirtual_alias_maps = $maps/a.cf, proxy:unix:group.byname\n";

class PostfixSettingsTest : public ::testing::Test {
 protected:
  PostfixSettingsResult Read(
      const std::string& main_cf,
      const std::vector<std::pair<std::string, std::string>>& overrides = {}) {
    harness::WriteOldFile(directory_ / "main.cf", main_cf);
    return ReadPostfixSettings(directory_.path(), overrides);
  }
  PostfixSettings Good(const std::string& lines,
                       const std::vector<std::pair<std::string, std::string>>& overrides = {}) {
    PostfixSettingsResult result = Read(kMainCf + lines, overrides);
    EXPECT_TRUE(result.settings.has_value()) << result.error;
    return result.settings.value_or(PostfixSettings{});
  }

  harness::TempDirectory directory_;
};

TEST_F(PostfixSettingsTest, WhatConcernsUsIsReadExpanded) {
  const PostfixSettings settings =
      Good("syslog_name = post/$myhostname\nmaillog_file = /var/log/x\n");
  EXPECT_EQ(settings.config_directory, directory_.path());
  EXPECT_EQ(settings.main_cf_file, directory_ / "main.cf");
  EXPECT_EQ(settings.queue_directory, "/var/spool/test");
  EXPECT_EQ(settings.data_directory, "/var/lib/test");
  EXPECT_EQ(settings.mail_owner, "postfix");
  EXPECT_EQ(settings.syslog_name, "post/mail.example.com");
  EXPECT_EQ(settings.syslog_facility, "mail");
  EXPECT_EQ(settings.maillog_file, "/var/log/x");
  EXPECT_EQ(settings.postlog_service_name, "postlog");
  EXPECT_EQ(settings.myhostname, "mail.example.com");
  EXPECT_GE(settings.mail_version, (config::MailVersion{3, 0}));
  EXPECT_TRUE(std::filesystem::exists(settings.daemon_directory)) << settings.daemon_directory;
  EXPECT_EQ(settings.daemon_timeout, std::chrono::seconds(18000));
  EXPECT_FALSE(settings.used_fallback);
  EXPECT_THAT(settings.approved.tables, Contains("pgsql:/etc/postfix/a.cf"));
  EXPECT_THAT(settings.approved.tables, Contains("unix:group.byname"));
  EXPECT_FALSE(settings.main_cf.has_value()) << "no table is defined in main.cf";
}

TEST_F(PostfixSettingsTest, YesIsYesInAnyCaseAsInPostfix) {
  for (const char* yes : {"yes", "YES", "Yes"}) {
    EXPECT_TRUE(Good(std::string("smtputf8_enable = ") + yes + "\n").smtputf8_enable) << yes;
  }
  for (const char* no : {"no", "No"}) {
    EXPECT_FALSE(Good(std::string("smtputf8_enable = ") + no + "\n").smtputf8_enable) << no;
  }
}

TEST_F(PostfixSettingsTest, TimesHaveUnitsAndNonsenseTakesTheDefault) {
  const std::pair<const char*, long> rows[] = {{"90", 90},
                                               {"90s", 90},
                                               {"2m", 120},
                                               {"5h", 18000},
                                               {"1d", 86400},
                                               {"1w", 604800},
                                               {"2147483647", 2147483647},
                                               {"2147483648", 18000},
                                               {"0", 18000},
                                               {"-5s", 18000},
                                               {"soon", 18000},
                                               {"5x", 18000},
                                               {"99999999999999999999w", 18000}};
  for (const auto& [text, seconds] : rows) {
    EXPECT_EQ(Good(std::string("daemon_timeout = ") + text + "\n").daemon_timeout.count(), seconds)
        << text;
  }
  EXPECT_EQ(Good("daemon_timeout = 2000000000w\n").daemon_timeout.count(), 2147483647);
}

TEST_F(PostfixSettingsTest, OverridesOfTheCommandLineCount) {
  const PostfixSettings settings =
      Good("", {{"smtputf8_enable", "no"}, {"maps", "proxy:pgsql:/other"}});
  EXPECT_FALSE(settings.smtputf8_enable);
  EXPECT_THAT(settings.approved.tables, Contains("pgsql:/other/a.cf"));
  EXPECT_THAT(settings.approved.tables, Not(Contains("pgsql:/etc/postfix/a.cf")));
}

// postconf then fails as a whole; what we read without it must be the same.
TEST_F(PostfixSettingsTest, AMalformedTableFileDoesNotLeaveUsWithoutAConfiguration) {
  const std::string lines = "alias_maps = pgsql:" + (directory_ / "x.cf") + "\n";
  harness::WriteFile(directory_ / "x.cf", "hosts = localhost\ndbname = d\nquery = SELECT 1\n");
  const PostfixSettings good = Good(lines);
  EXPECT_FALSE(good.used_fallback);
  harness::WriteFile(directory_ / "x.cf", "hosts = localhost\nthis line has no equals sign\n");
  const PostfixSettings settings = Good(lines);
  ASSERT_TRUE(settings.used_fallback) << "postconf has learnt to live with it";
  EXPECT_THAT(Messages(settings), HasSubstr("x.cf"));
  EXPECT_EQ(settings.approved.tables, good.approved.tables);
  EXPECT_EQ(settings.queue_directory, good.queue_directory);
  EXPECT_EQ(settings.daemon_directory, good.daemon_directory);
  EXPECT_EQ(settings.mail_owner, good.mail_owner);
  EXPECT_EQ(settings.syslog_name, good.syslog_name);
  EXPECT_EQ(settings.smtputf8_enable, good.smtputf8_enable);
  EXPECT_EQ(settings.daemon_timeout, good.daemon_timeout);
  EXPECT_EQ(settings.mail_version, good.mail_version);
}

TEST_F(PostfixSettingsTest, TablesDefinedInMainCfComeWithAllOfIt) {
  const PostfixSettings settings = Good(
      "relay_domains = proxy:pgsql:domains\ndomains_hosts = db.$mydomain\n"
      "domains_query = SELECT '%s' || '$$1'\n");
  EXPECT_THAT(settings.approved.tables, Contains("pgsql:domains"));
  ASSERT_TRUE(settings.main_cf.has_value());
  const auto values = config::LastValues(*settings.main_cf);
  EXPECT_EQ(values.at("domains_hosts"), "db.example.com");
  EXPECT_EQ(values.at("domains_query"), "SELECT '%s' || '$1'");
}

TEST_F(PostfixSettingsTest, TablesInRestrictionClassesAndListFilesAreApproved) {
  harness::WriteFile(directory_ / "list", "# these too\nproxy:pgsql:/from/list.cf\n");
  const PostfixSettings settings = Good(
      "smtpd_restriction_classes = greylist\n"
      "greylist = check_client_access proxy:pgsql:/from/class.cf\n"
      "proxy_read_maps = $virtual_alias_maps " +
      (directory_ / "list") + "\n");
  EXPECT_THAT(settings.approved.tables, Contains("pgsql:/from/class.cf"));
  EXPECT_THAT(settings.approved.tables, Contains("pgsql:/from/list.cf"));
}

TEST_F(PostfixSettingsTest, AnElementOfAClassThatCannotBeExpandedCostsItself) {
  const PostfixSettings settings = Good(
      "smtpd_restriction_classes = greylist\n"
      "greylist = check_client_access proxy:pgsql:/from/class.cf, ${lower{x}},\n"
      " check_client_access proxy:pgsql:/from/${lower{x}}.cf\n");
  EXPECT_THAT(settings.approved.tables, Contains("pgsql:/from/class.cf"));
  EXPECT_THAT(settings.approved.tables, Not(Contains(HasSubstr("lower"))));
  EXPECT_THAT(settings.approved.tables, Not(Contains("pgsql:/from/.cf")));
  EXPECT_THAT(settings.approved.tables, Not(Contains("pgsql:/from/")));
  EXPECT_TRUE(std::ranges::any_of(settings.diagnostics, [](const auto& diagnostic) {
    return diagnostic.ToString().find("greylist: ") != std::string::npos;
  }));
}

TEST_F(PostfixSettingsTest, WithoutMainCfThereIsNoConfigurationAndTheErrorSaysWhere) {
  const PostfixSettingsResult result = ReadPostfixSettings("/nonexistent", {});
  EXPECT_FALSE(result.settings.has_value());
  EXPECT_THAT(result.error, HasSubstr("no configuration can be read from /nonexistent"));
  EXPECT_THAT(result.error, HasSubstr("No such file or directory"));
}

TEST_F(PostfixSettingsTest, PostconfIsWhereCommandDirectorySays) {
  const PostfixSettingsResult result =
      Read(std::string(kMainCf) + "command_directory = /nonexistent/sbin\n");
  EXPECT_FALSE(result.settings.has_value());
  EXPECT_THAT(result.error, HasSubstr("/nonexistent/sbin/postconf"));
}

}  // namespace
}  // namespace proxymux::proxy
