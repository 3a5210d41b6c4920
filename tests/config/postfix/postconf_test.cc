// Runs the installed postconf(1) on configuration directories of its own.
#include "config/postfix/postconf.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <map>
#include <string>

#include "config/postfix/main_cf.h"
#include "config/values/diagnostic.h"
#include "tests/config/postfix/postconf_fixture.h"

namespace proxymux::config {
namespace {

using PostconfTest = PostconfFixture;

std::string Setting(const MainCfSettings& main_cf, const std::string& name) {
  const auto values = LastValues(main_cf.settings);
  const auto at = values.find(name);
  return at == values.end() ? "(absent)" : at->second;
}

TEST_F(PostconfTest, ValuesAreExpandedAndUnknownNamesLeftOut) {
  Write("main.cf", kMainCf);
  const PostconfResult result =
      Read({"myorigin", "virtual_alias_maps", "proxy_read_maps", "no_such_parameter",
            "mail_version", "smtpd_restriction_classes"});
  EXPECT_TRUE(result.ok);
  EXPECT_FALSE(result.used_fallback);
  EXPECT_EQ(result.values.at("myorigin"), "mail.example.com");
  EXPECT_EQ(result.values.at("virtual_alias_maps"), "proxy:pgsql:/nonexistent/a.cf");
  EXPECT_NE(result.values.at("proxy_read_maps").find("proxy:pgsql:/nonexistent/a.cf"),
            std::string::npos);
  EXPECT_EQ(result.values.at("mail_version").substr(0, 2), "3.");
  EXPECT_EQ(result.values.at("smtpd_restriction_classes"), "");
  EXPECT_FALSE(result.values.contains("no_such_parameter"));
  EXPECT_FALSE(HasErrors(result.diagnostics)) << Messages(result.diagnostics);
}

TEST_F(PostconfTest, OverridesCountAndTheLastOneWins) {
  Write("main.cf", kMainCf);
  const PostconfResult result = Read({"mydomain", "virtual_alias_maps", "syslog_name"},
                                     {"mydomain=one.example", "mydomain = two.example",
                                      "mail_dbs = proxy:pgsql:/x/$mydomain", "syslog_name ="});
  EXPECT_FALSE(result.used_fallback);
  EXPECT_EQ(result.values.at("mydomain"), "two.example");
  EXPECT_EQ(result.values.at("virtual_alias_maps"), "proxy:pgsql:/x/two.example");
  EXPECT_EQ(result.values.at("syslog_name"), "");
}

// `postconf -d` knows the machine's own domain only.
TEST_F(PostconfTest, TheDomainFollowsTheHostNameOfMainCf) {
  const std::string text =
      "compatibility_level = 3.6\nmyhostname = mail.example.com\nt_hosts = db.$mydomain\n";
  Write("main.cf", text);
  request_.overrides.clear();
  EXPECT_EQ(Setting(ReadMainCf(request_), "t_hosts"), "db.example.com");
  Write("x.cf", "this line has no equals sign\n");
  Write("main.cf", text + "alias_maps = pgsql:" + directory_ + "/x.cf\n");
  const PostconfResult broken = Read({"mydomain"});
  ASSERT_TRUE(broken.used_fallback) << "postconf has learnt to live with it";
  EXPECT_EQ(broken.values.at("mydomain"), "example.com");
  Write("main.cf", "myhostname = mail\nt_hosts = db.$mydomain\n");
  EXPECT_EQ(Setting(ReadMainCf(request_), "t_hosts"), "db.localdomain");
}

TEST_F(PostconfTest, ALineOfATableFileThatItQuotesIsNotShown) {
  Write("x.cf", "hosts = localhost\npassword hunter2\n");
  Write("main.cf", std::string(kMainCf) + "alias_maps = pgsql:" + directory_ + "/x.cf\n");
  const std::string messages = Messages(Read({"mail_owner"}).diagnostics);
  EXPECT_NE(messages.find("x.cf, line 2: missing '='"), std::string::npos) << messages;
  EXPECT_EQ(messages.find("hunter2"), std::string::npos) << messages;
}

// Whatever a release of postconf, or what stands in main.cf, makes it write.
TEST_F(PostconfTest, WhatItWritesIsCutAndHasNoControlCharacters) {
  Write("main.cf", kMainCf);
  Write("postconf",
        "#!/bin/sh\n{ printf 'postconf: warning: \\033[2J\\a red\\177\\r\\n'\n"
        "head -c 100000 /dev/zero | tr '\\0' x; echo\n"
        "printf 'a'; for i in 1 2 3 4 5 6 7 8; do printf "
        "'\\303\\251\\303\\251\\303\\251\\303\\251\\303\\251\\303\\251\\303\\251\\303\\251"
        "\\303\\251\\303\\251\\303\\251\\303\\251\\303\\251\\303\\251\\303\\251\\303\\251"
        "\\303\\251\\303\\251\\303\\251\\303\\251'; done; echo\n"
        "for i in $(seq 1000); do echo line $i; done; } >&2\necho 'mail_owner = postfix'\n");
  ASSERT_EQ(chmod((directory_ + "/postconf").c_str(), 0755), 0);
  request_.command = directory_ + "/postconf";
  const PostconfResult result = Read({"mail_owner"});
  EXPECT_EQ(result.values.at("mail_owner"), "postfix");
  EXPECT_LE(result.diagnostics.size(), 20U);
  ASSERT_GE(result.diagnostics.size(), 4U);
  EXPECT_EQ(result.diagnostics[0].text, "?[2J? red??");
  EXPECT_EQ(result.diagnostics[1].text, std::string(300, 'x') + "...");
  std::string accents = "a";
  while (accents.size() < 299) accents += "\xc3\xa9";
  EXPECT_EQ(result.diagnostics[2].text, accents + "...");
  EXPECT_EQ(result.diagnostics[3].text, "line 1");
}

TEST_F(PostconfTest, SettingsThatPostconfDoesNotKnowAreReadFromMainCf) {
  Write("main.cf", std::string(kMainCf) +
                       "db_hosts = db1.$mydomain, db2.$mydomain\ndb_query = SELECT '$$x' "
                       "FROM t\ndb_statement_mode = prepared\ndb_user = $mail_owner\n"
                       "broken = ${x\ndb_user = $no_such_parameter${service_name}u\n");
  request_.overrides = {"db_dbname = $mydomain"};
  const MainCfSettings main_cf = ReadMainCf(request_);
  EXPECT_TRUE(main_cf.ok);
  EXPECT_EQ(Setting(main_cf, "db_hosts"), "db1.example.com, db2.example.com");
  EXPECT_EQ(Setting(main_cf, "db_query"), "SELECT '$x' FROM t");
  EXPECT_EQ(Setting(main_cf, "db_statement_mode"), "prepared");
  EXPECT_EQ(Setting(main_cf, "db_user"), "u");
  EXPECT_EQ(Setting(main_cf, "db_dbname"), "example.com");
  EXPECT_EQ(Setting(main_cf, "broken"), "(absent)");
  EXPECT_EQ(main_cf.settings.at(9).fault, "a reference is not closed");
  EXPECT_EQ(main_cf.settings.at(5).name, "db_hosts");
  EXPECT_EQ(main_cf.settings.at(5).line, 6);
  EXPECT_EQ(main_cf.settings.at(8).value, "postfix") << "by way of a built-in default";
  EXPECT_TRUE(main_cf.diagnostics.empty()) << Messages(main_cf.diagnostics);
}

TEST_F(PostconfTest, ASettingThatCannotBeExpandedSaysWhyAndNothingOfItsValue) {
  Write("main.cf", std::string(kMainCf) +
                       "db_query = SELECT a FROM t WHERE b ~ '%s$'\ndb_password = se$-cret\n"
                       "db_user = $tail\ntail = x$\n");
  const MainCfSettings main_cf = ReadMainCf(request_);
  const std::string stray = "a \"$\" without a name behind it";
  std::map<std::string, std::string> faults;
  for (const MainCfSetting& setting : main_cf.settings) faults[setting.name] = setting.fault;
  EXPECT_EQ(faults["db_query"], stray);
  EXPECT_EQ(faults["db_password"], stray);
  EXPECT_EQ(faults["db_user"], stray + ", in the value of tail");
  EXPECT_EQ(faults["myhostname"], "");
  EXPECT_EQ(LastValues(main_cf.settings).count("db_query"), 0u);
}

TEST_F(PostconfTest, AskingForNothingRunsNothing) {
  request_.command = "/nonexistent/postconf";
  const PostconfResult result = Read({});
  EXPECT_TRUE(result.ok);
  EXPECT_TRUE(result.diagnostics.empty());
}

}  // namespace
}  // namespace proxymux::config
