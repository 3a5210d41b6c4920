// Where the installed postconf(1) fails as a whole, or there is none: main.cf is read without it
// and says the same, and what is wrong in it costs only itself.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "config/postfix/postconf.h"
#include "config/values/diagnostic.h"
#include "tests/config/postfix/postconf_fixture.h"

namespace proxymux::config {
namespace {

using PostconfFallbackTest = PostconfFixture;

// postconf prints runs of blanks as one.
void Squeeze(PostconfResult* result) {
  for (auto& [name, value] : result->values) {
    std::istringstream words(value);
    std::string squeezed;
    for (std::string word; words >> word;) squeezed += (squeezed.empty() ? "" : " ") + word;
    value = squeezed;
  }
}

TEST_F(PostconfFallbackTest, SurvivesAMalformedTableFileThatMainCfRefersTo) {
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

TEST_F(PostconfFallbackTest, SurvivesAMalformedMainCf) {
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

TEST_F(PostconfFallbackTest, OneParameterThatCannotBeExpandedCostsOnlyItself) {
  Write("main.cf", std::string(kMainCf) + "mynetworks = ${mydomain\n");
  const PostconfResult result = Read({"mynetworks", "myorigin"});
  EXPECT_TRUE(result.used_fallback);
  EXPECT_EQ(result.values, (std::map<std::string, std::string>{{"myorigin", "mail.example.com"}}));
  EXPECT_NE(Messages(result.diagnostics).find("mynetworks: a reference is not closed"),
            std::string::npos);
}

TEST_F(PostconfFallbackTest, OneElementOfAListThatCannotBeExpandedCostsOnlyItself) {
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

TEST_F(PostconfFallbackTest, TheFallbackAgreesWithPostconfOnEveryParameterThatWeRead) {
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

TEST_F(PostconfFallbackTest, AMissingMainCfIsToldAndDefaultsAreStillThere) {
  const PostconfResult result = Read({"mail_owner"});
  EXPECT_TRUE(result.used_fallback);
  EXPECT_FALSE(result.ok);
  EXPECT_EQ(result.values.at("mail_owner"), "postfix");
  EXPECT_NE(Messages(result.diagnostics).find("main.cf: error: cannot be read: No such file"),
            std::string::npos);
}

TEST_F(PostconfFallbackTest, WithoutPostconfMainCfIsStillRead) {
  Write("main.cf", kMainCf);
  request_.command = "/nonexistent/postconf";
  const PostconfResult result = Read({"virtual_alias_maps", "mail_owner"});
  EXPECT_TRUE(result.used_fallback);
  EXPECT_FALSE(result.ok);
  EXPECT_EQ(result.values.at("virtual_alias_maps"), "proxy:pgsql:/nonexistent/a.cf");
  EXPECT_FALSE(result.values.contains("mail_owner"));
}

}  // namespace
}  // namespace proxymux::config
