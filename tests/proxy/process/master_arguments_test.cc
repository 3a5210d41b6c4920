#include "proxy/process/master_arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace proxymux::proxy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using Words = std::vector<std::string>;

MasterArguments Parsed(Words words) {
  words.insert(words.begin(), "proxymux");
  auto result = ParseMasterArguments(words);
  if (const auto* error = std::get_if<ArgumentError>(&result)) {
    ADD_FAILURE() << error->text;
    return {};
  }
  return std::get<MasterArguments>(result);
}

std::string Refused(Words words) {
  words.insert(words.begin(), "proxymux");
  auto result = ParseMasterArguments(words);
  const auto* error = std::get_if<ArgumentError>(&result);
  return error == nullptr ? "accepted" : error->text;
}

TEST(MasterArguments, TheStockLineOfAServiceWithItsOwnName) {
  const MasterArguments arguments =
      Parsed({"-l", "-n", "proxymap", "-t", "unix", "-u", "-s", "1", "-v", "-v"});
  EXPECT_EQ(arguments.service_name, "proxymap");
  EXPECT_EQ(arguments.process_name, "proxymux");
  EXPECT_TRUE(arguments.single_process);
  EXPECT_FALSE(arguments.unlimited);
  EXPECT_TRUE(arguments.drop_privileges);
  EXPECT_TRUE(arguments.daemon_mode);
  EXPECT_EQ(arguments.verbosity, 2);
  EXPECT_EQ(arguments.socket_count, 1);
}

TEST(MasterArguments, WithoutNTheServiceIsNamedLikeTheCommand) {
  const auto result = ParseMasterArguments({"/usr/lib/postfix/sbin/proxymux", "-z", "-t", "unix"});
  ASSERT_TRUE(std::holds_alternative<MasterArguments>(result));
  EXPECT_EQ(std::get<MasterArguments>(result).service_name, "proxymux");
  EXPECT_TRUE(std::get<MasterArguments>(result).unlimited);
}

TEST(MasterArguments, OptionsMayBeJoinedAndArgumentsMayFollowDirectly) {
  const MasterArguments arguments = Parsed({"-lzdvvunx", "-tunix", "-s3", "-SVD", "--"});
  EXPECT_TRUE(arguments.single_process);
  EXPECT_TRUE(arguments.unlimited);
  EXPECT_FALSE(arguments.daemon_mode);
  EXPECT_EQ(arguments.verbosity, 2);
  EXPECT_EQ(arguments.service_name, "x");
  EXPECT_EQ(arguments.socket_count, 3);
  EXPECT_TRUE(arguments.client_on_stdin);
  EXPECT_TRUE(arguments.log_to_stderr);
  EXPECT_TRUE(arguments.debugger);
}

TEST(MasterArguments, LimitsOfALifetimeAreReadAndIgnored) {
  EXPECT_EQ(Parsed({"-t", "unix", "-i", "10s", "-m", "100"}).service_name, "proxymux");
}

TEST(MasterArguments, OverridesInEitherForm) {
  const MasterArguments arguments =
      Parsed({"-n", "mapper", "-t", "unix", "-o", "a=1", "-ob=two words", "-o", " c_name =  x = y ",
              "-o", "empty=", "-o", "d=$service_name/${process_name}"});
  EXPECT_THAT(arguments.overrides,
              ElementsAre(Pair("a", "1"), Pair("b", "two words"), Pair("c_name", "x = y"),
                          Pair("empty", ""), Pair("d", "mapper/proxymux")));
}

TEST(MasterArguments, TheNameMayComeAfterTheOverrideThatNeedsIt) {
  EXPECT_THAT(Parsed({"-o", "d=$(service_name)", "-t", "unix", "-n", "late"}).overrides,
              ElementsAre(Pair("d", "late")));
}

TEST(MasterArguments, OnlyTheTwoNamesAreExpanded) {
  EXPECT_EQ(ExpandServiceNames("$service_names $service_name. $mydomain ${x?y} $", "s", "p"),
            "$service_names s. $mydomain ${x?y} $");
  EXPECT_EQ(ExpandServiceNames("$$service_name ${service_name $(process_name)", "s", "p"),
            "$$service_name ${service_name p");
  EXPECT_EQ(ExpandServiceNames("", "s", "p"), "");
  // What stands behind the text is not its own.
  EXPECT_EQ(ExpandServiceNames(std::string_view("a$$service_name").substr(0, 2), "s", "p"), "a$");
  EXPECT_EQ(ExpandServiceNames(std::string_view("${service_name}").substr(0, 14), "s", "p"),
            "${service_name");
}

TEST(MasterArguments, SocketsAreCountedUpToAThousand) {
  EXPECT_EQ(Parsed({"-t", "unix", "-s", "1000"}).socket_count, 1000);
  EXPECT_THAT(Refused({"-t", "unix", "-s", "1001"}), HasSubstr("a number from 1 to 1000"));
}

TEST(MasterArguments, WhatCannotWorkIsRefusedWithAReason) {
  EXPECT_THAT(Refused({"-t", "unix", "-x"}), HasSubstr("unknown option -x"));
  EXPECT_THAT(Refused({"-t", "unix", "-c"}), HasSubstr("chroot"));
  EXPECT_THAT(Refused({"-t", "inet"}), HasSubstr("transport `inet'"));
  EXPECT_THAT(Refused({"-t"}), HasSubstr("option -t needs an argument"));
  EXPECT_THAT(Refused({"-t", "unix", "-n"}), HasSubstr("option -n needs an argument"));
  EXPECT_THAT(Refused({"-t", "unix", "-s", "0"}), HasSubstr("bad socket count `0'"));
  EXPECT_THAT(Refused({"-t", "unix", "-s", "1x"}), HasSubstr("bad socket count `1x'"));
  EXPECT_THAT(Refused({"-t", "unix", "-o", "novalue"}), HasSubstr("expected `name=value'"));
  EXPECT_THAT(Refused({"-t", "unix", "-o", " =1"}), HasSubstr("no name"));
  EXPECT_THAT(Refused({"-t", "unix", "-o", "a b=1"}), HasSubstr("white space"));
  EXPECT_THAT(Refused({"-t", "unix", "stray"}), HasSubstr("argument `stray'"));
  EXPECT_THAT(Refused({"-t", "unix", "--", "-v"}), HasSubstr("argument `-v'"));
  EXPECT_THAT(Refused({"-t", "unix", "-n", "proxywrite"}), HasSubstr("proxywrite"));
  EXPECT_THAT(Refused({"-t", "unix", "-n", "private/proxywrite"}), HasSubstr("proxywrite"));
}

TEST(MasterArguments, MasterIsToldFromAPersonByDashT) {
  EXPECT_TRUE(StartedByMaster({"proxymux", "-t", "unix", "-u"}));
  EXPECT_TRUE(StartedByMaster({"proxymux", "-l", "-n", "proxymap", "-t", "unix"}));
  EXPECT_TRUE(StartedByMaster({"proxymux", "-z", "-t", "unix", "-v", "-x"}));
  EXPECT_FALSE(StartedByMaster({"proxymux"}));
  EXPECT_FALSE(StartedByMaster({}));
  EXPECT_FALSE(StartedByMaster({"proxymux", "serve", "-t", "unix"}));
  EXPECT_FALSE(StartedByMaster({"proxymux", "--help"}));
  EXPECT_FALSE(StartedByMaster({"proxymux", "--transport", "-t", "unix"}));
  EXPECT_FALSE(StartedByMaster({"proxymux", "-h"}));
  EXPECT_FALSE(StartedByMaster({"proxymux", "-v"}));
  EXPECT_FALSE(StartedByMaster({"proxymux", "-n", "-t"}));  // -t is the name here
}

class Environment {
 public:
  explicit Environment(std::map<std::string, std::string> values) : values_(std::move(values)) {}

  std::variant<MasterEnvironment, ArgumentError> Parse() const {
    return ParseMasterEnvironment([this](const char* name) -> const char* {
      const auto found = values_.find(name);
      return found == values_.end() ? nullptr : found->second.c_str();
    });
  }

 private:
  std::map<std::string, std::string> values_;
};

TEST(MasterEnvironment, GenerationIsOctal) {
  const auto result = Environment({{"GENERATION", "17"},
                                   {"MAIL_CONFIG", "/etc/postfix-in"},
                                   {"MAIL_LOGTAG", "postfix-in"},
                                   {"POSTLOG_SERVICE", "postlog"},
                                   {"POSTLOG_HOSTNAME", "mx1.example.com"},
                                   {"MAIL_DEBUG", ""}})
                          .Parse();
  ASSERT_TRUE(std::holds_alternative<MasterEnvironment>(result));
  const auto& environment = std::get<MasterEnvironment>(result);
  EXPECT_EQ(environment.generation, 15u);
  EXPECT_EQ(environment.config_directory, "/etc/postfix-in");
  EXPECT_EQ(environment.log_tag, "postfix-in");
  EXPECT_EQ(environment.postlog_service, "postlog");
  EXPECT_EQ(environment.postlog_hostname, "mx1.example.com");
  EXPECT_TRUE(environment.debug);
}

TEST(MasterEnvironment, NothingSetIsFineAndABadGenerationIsNot) {
  const auto bare = Environment({}).Parse();
  ASSERT_TRUE(std::holds_alternative<MasterEnvironment>(bare));
  EXPECT_EQ(std::get<MasterEnvironment>(bare).generation, 0u);
  EXPECT_FALSE(std::get<MasterEnvironment>(bare).debug);
  for (const char* bad : {"", "8", "-1", "7 ", "77777777777777777"}) {
    const std::map<std::string, std::string> values = {{"GENERATION", bad}};
    const auto result = Environment(values).Parse();
    ASSERT_TRUE(std::holds_alternative<ArgumentError>(result)) << bad;
    EXPECT_THAT(std::get<ArgumentError>(result).text, HasSubstr("GENERATION"));
  }
}

}  // namespace
}  // namespace proxymux::proxy
