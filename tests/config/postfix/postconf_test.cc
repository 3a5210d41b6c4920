// Runs the installed postconf(1) on configuration directories of its own.
#include "config/postfix/postconf.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

namespace proxymux::config {
namespace {

class PostconfTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "postconf_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    request_.command = "/usr/sbin/postconf";
    request_.config_directory = directory_;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(directory_ + "/" + name) << text;
    // postconf waits until main.cf is two seconds old.
    namespace fs = std::filesystem;
    fs::last_write_time(directory_ + "/" + name,
                        fs::file_time_type::clock::now() - std::chrono::hours(1));
  }

  PostconfResult Read(std::vector<std::string> names, std::vector<std::string> overrides = {}) {
    request_.names = std::move(names);
    request_.overrides = std::move(overrides);
    return ReadParameters(request_);
  }

  static std::string Messages(const std::vector<Diagnostic>& diagnostics) {
    std::string out;
    for (const Diagnostic& diagnostic : diagnostics) out += diagnostic.ToString() + "\n";
    return out;
  }

  static std::string Setting(const MainCfSettings& main_cf, const std::string& name) {
    const auto values = LastValues(main_cf.settings);
    const auto at = values.find(name);
    return at == values.end() ? "(absent)" : at->second;
  }

  // postconf prints runs of blanks as one.
  static void Squeeze(PostconfResult* result) {
    for (auto& [name, value] : result->values) {
      std::istringstream words(value);
      std::string squeezed;
      for (std::string word; words >> word;) squeezed += (squeezed.empty() ? "" : " ") + word;
      value = squeezed;
    }
  }

  std::string directory_;
  PostconfRequest request_;
};

constexpr char kMainCf[] =
    "compatibility_level = 3.6\nmyhostname = mail.example.com\nmydomain = example.com\n"
    "mail_dbs = proxy:pgsql:/nonexistent/a.cf\nvirtual_alias_maps = $mail_dbs\n";

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

TEST_F(PostconfTest, SurvivesAMalformedTableFileThatMainCfRefersTo) {
  Write("x.cf", "hosts = localhost\nthis line has no equals sign\n");
  Write("main.cf", std::string(kMainCf) + "alias_maps = pgsql:" + directory_ + "/x.cf\n");
  const std::vector<std::string> names = {"virtual_alias_maps", "proxy_read_maps",
                                          "myorigin",           "mail_version",
                                          "queue_directory",    "no_such_parameter"};
  // Unset, it depends on the machine's networks and on more than defaults and main.cf.
  const std::vector<std::string> overrides = {"mydomain = over.example", "mynetworks = 127.0.0.1"};
  PostconfResult broken = Read(names, overrides);
  ASSERT_TRUE(broken.used_fallback) << "postconf has learnt to live with it";
  EXPECT_TRUE(broken.ok) << Messages(broken.diagnostics);
  EXPECT_FALSE(HasErrors(broken.diagnostics)) << Messages(broken.diagnostics);
  EXPECT_NE(Messages(broken.diagnostics).find("x.cf"), std::string::npos);
  // Mended, postconf itself answers, and it answers the same.
  Write("x.cf", "hosts = localhost\n");
  const PostconfResult mended = Read(names, overrides);
  EXPECT_FALSE(mended.used_fallback);
  Squeeze(&broken);
  EXPECT_EQ(broken.values, mended.values);
  EXPECT_EQ(mended.values.size(), 5u);
}

TEST_F(PostconfTest, SurvivesAMalformedMainCf) {
  Write("main.cf", std::string(kMainCf) + "broken line\nmyorigin = $mydomain\n");
  const PostconfResult result = Read({"virtual_alias_maps", "myorigin", "mail_owner"});
  EXPECT_TRUE(result.used_fallback);
  EXPECT_TRUE(result.ok);
  EXPECT_EQ(result.values.at("virtual_alias_maps"), "proxy:pgsql:/nonexistent/a.cf");
  EXPECT_EQ(result.values.at("myorigin"), "example.com");
  EXPECT_EQ(result.values.at("mail_owner"), "postfix");
  EXPECT_NE(Messages(result.diagnostics).find("main.cf:6: error: a line without"),
            std::string::npos);
}

TEST_F(PostconfTest, OneParameterThatCannotBeExpandedCostsOnlyItself) {
  Write("main.cf", std::string(kMainCf) + "mynetworks = ${mydomain\n");
  const PostconfResult result = Read({"mynetworks", "myorigin"});
  EXPECT_TRUE(result.used_fallback);
  EXPECT_EQ(result.values, (std::map<std::string, std::string>{{"myorigin", "mail.example.com"}}));
  EXPECT_NE(Messages(result.diagnostics).find("mynetworks: a reference is not closed"),
            std::string::npos);
}

TEST_F(PostconfTest, OneElementOfAListThatCannotBeExpandedCostsOnlyItself) {
  Write("main.cf", std::string(kMainCf) +
                       "relay_domains = ${no_such_function{$mydomain}}, proxy:pgsql:/a.cf\n"
                       "proxy_read_maps = $relay_domains proxy:pgsql:/b.cf ${mydomain\n");
  request_.lists = {"proxy_read_maps"};
  const PostconfResult result = Read({"proxy_read_maps", "relay_domains"});
  EXPECT_TRUE(result.used_fallback);
  EXPECT_EQ(result.values,
            (std::map<std::string, std::string>{
                {"proxy_read_maps", "\x01, proxy:pgsql:/a.cf proxy:pgsql:/b.cf \x01"}}));
  EXPECT_NE(Messages(result.diagnostics).find("in the value of relay_domains"), std::string::npos);
}

TEST_F(PostconfTest, TheFallbackAgreesWithPostconfOnEveryParameterThatWeRead) {
  Write("main.cf", std::string(kMainCf) +
                       "myorigin = ${mydomain?{$mydomain}:{none}}\n"
                       "syslog_name = ${multi_instance_name?{$multi_instance_name}:{postfix}}\n"
                       "smtpd_restriction_classes = greet\ngreet = check_sender_access $mail_dbs\n"
                       "relay_domains = ${{$compatibility_level} < {2} ? {old} : {new}}\n");
  const std::vector<std::string> names = {"proxy_read_maps",
                                          "syslog_name",
                                          "syslog_facility",
                                          "queue_directory",
                                          "data_directory",
                                          "daemon_directory",
                                          "mail_owner",
                                          "maillog_file",
                                          "smtputf8_enable",
                                          "command_directory",
                                          "greet",
                                          "relay_domains",
                                          "myorigin",
                                          "compatibility_level",
                                          "import_environment",
                                          "proxymap_service_name",
                                          "mail_version",
                                          "postlog_service_name"};
  const PostconfResult through_postconf = Read(names);
  ASSERT_FALSE(through_postconf.used_fallback) << Messages(through_postconf.diagnostics);
  Write("x.cf", "bad\n");
  std::ofstream(directory_ + "/main.cf", std::ios::app)
      << "alias_maps = pgsql:" << directory_ << "/x.cf\n";
  Write("y", "");
  std::filesystem::last_write_time(directory_ + "/main.cf",
                                   std::filesystem::last_write_time(directory_ + "/y"));
  PostconfResult fallback = Read(names);
  ASSERT_TRUE(fallback.used_fallback);
  PostconfResult expected = through_postconf;
  // Only proxy_read_maps changes with the line that was added.
  expected.values.erase("proxy_read_maps");
  EXPECT_NE(fallback.values.at("proxy_read_maps").find("proxy:pgsql:/nonexistent/a.cf"),
            std::string::npos);
  fallback.values.erase("proxy_read_maps");
  Squeeze(&fallback);
  EXPECT_EQ(fallback.values, expected.values);
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

TEST_F(PostconfTest, AMissingMainCfIsToldAndDefaultsAreStillThere) {
  const PostconfResult result = Read({"mail_owner"});
  EXPECT_TRUE(result.used_fallback);
  EXPECT_FALSE(result.ok);
  EXPECT_EQ(result.values.at("mail_owner"), "postfix");
  EXPECT_NE(Messages(result.diagnostics).find("main.cf: error: cannot be read: No such file"),
            std::string::npos);
}

TEST_F(PostconfTest, WithoutPostconfMainCfIsStillRead) {
  Write("main.cf", kMainCf);
  request_.command = "/nonexistent/postconf";
  const PostconfResult result = Read({"virtual_alias_maps", "mail_owner"});
  EXPECT_TRUE(result.used_fallback);
  EXPECT_FALSE(result.ok);
  EXPECT_EQ(result.values.at("virtual_alias_maps"), "proxy:pgsql:/nonexistent/a.cf");
  EXPECT_FALSE(result.values.contains("mail_owner"));
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
