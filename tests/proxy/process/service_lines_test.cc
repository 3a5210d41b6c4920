// What is said about the lines of master.cf.
#include "proxy/process/service_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace proxymux::proxy {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kStock[] = "proxymap unix - - n - - proxymap\n";
constexpr char kInPlace[] = "proxymap unix - - n - 1 proxymux -o proxymap_service_name=proxymap\n";
constexpr char kForgotten[] = "proxymap unix - - n - 1 proxymux\n";
constexpr char kBeside[] = "proxymux unix - - n - 1 /usr/lib/postfix/sbin/proxymux -v\n";

config::MasterCf Parse(const std::string& text) { return config::ParseMasterCf(text, "master.cf"); }
std::vector<std::string> Check(const std::string& text) {
  std::vector<std::string> lines;
  for (const auto& diagnostic : CheckServiceLines(Parse(text))) {
    lines.push_back(diagnostic.ToString());
  }
  return lines;
}

TEST(ServiceLines, GoodOnesAreNotTalkedAbout) {
  EXPECT_THAT(Check(kStock), IsEmpty());
  EXPECT_THAT(Check(kInPlace), IsEmpty());
  EXPECT_THAT(Check(std::string(kStock) + kBeside), IsEmpty());
  EXPECT_THAT(Check("a inet n - n - - smtpd\na unix n - n - - smtpd\n"), IsEmpty());
}

TEST(ServiceLines, AFormThatAnUpgradePushesAsideIsWarnedOf) {
  EXPECT_THAT(
      Check(kForgotten),
      ElementsAre(AllOf(HasSubstr("master.cf:1: warning: "), HasSubstr("upgrade-configuration"),
                        HasSubstr("proxymux -o proxymap_service_name=proxymap"))));
}

TEST(ServiceLines, WhatAnUpgradePushedAsideIsAnError) {
  EXPECT_THAT(Check(std::string(kForgotten) + kStock),
              ElementsAre(AllOf(HasSubstr("master.cf:1: error: the service proxymap (unix) is "
                                          "defined again in line 2"),
                                HasSubstr("which runs proxymap, and this one, proxymux, has no"),
                                HasSubstr("(remove line 2"))));
}

TEST(ServiceLines, OtherRepetitionsAreWarnedOf) {
  EXPECT_THAT(Check("x unix - - n - - one\nx unix - - n - - two\n"),
              ElementsAre(AllOf(HasSubstr("master.cf:1: warning: the service x (unix)"),
                                HasSubstr("(remove line 1)"))));
  EXPECT_THAT(Check(std::string(kStock) + kInPlace),
              ElementsAre(AllOf(HasSubstr("master.cf:1: warning: "), HasSubstr("runs proxymux"),
                                HasSubstr("(remove line 1)"))));
}

TEST(ServiceLines, FieldsThatKeepTheProgramFromServingAreErrors) {
  const auto said = [](const char* fields, bool chroot_by_default = false) {
    std::vector<std::string> lines;
    const auto master_cf = Parse(std::string("beside ") + fields + " proxymux\n");
    for (const auto& diagnostic : CheckServiceLines(master_cf, chroot_by_default)) {
      lines.push_back(diagnostic.ToString());
    }
    return lines;
  };
  EXPECT_THAT(said("unix - - n - 1"), IsEmpty());
  EXPECT_THAT(said("unix y y n 0 1"), IsEmpty());
  EXPECT_THAT(said("unix - - y - 1"),
              ElementsAre(AllOf(HasSubstr("master.cf:1: error: the service beside: "),
                                HasSubstr("chroot"), HasSubstr("fifth field"))));
  EXPECT_THAT(said("unix - - - - 1"), IsEmpty());
  EXPECT_THAT(said("unix - - - - 1", /*chroot_by_default=*/true), ElementsAre(HasSubstr("chroot")));
  EXPECT_THAT(said("unix n - n - 1"), ElementsAre(AllOf(HasSubstr("error"), HasSubstr("public/"))));
  EXPECT_THAT(said("inet - - n - 1"),
              ElementsAre(AllOf(HasSubstr("error"), HasSubstr("UNIX-domain"))));
  EXPECT_THAT(said("unix - n n - 1"), ElementsAre(AllOf(HasSubstr("warning"), HasSubstr("root"))));
  EXPECT_THAT(said("unix - - n - -"),
              ElementsAre(AllOf(HasSubstr("warning"), HasSubstr("the default"))));
  EXPECT_THAT(said("unix - - n - 50"),
              ElementsAre(AllOf(HasSubstr("warning"), HasSubstr("limit is 50"))));
}

TEST(ServiceLines, ANameThatCannotBeServedIsAnError) {
  EXPECT_THAT(Check("proxywrite unix - - n - 1 proxymux\n"),
              ElementsAre(AllOf(HasSubstr("master.cf:1: error: "), HasSubstr("proxywrite"))));
}

TEST(ServiceLines, FieldsOfALineThatHasNoEffectAreNotTalkedAbout) {
  EXPECT_THAT(Check("beside unix - - y - 1 proxymux\nbeside unix - - n - 1 proxymux\n"),
              ElementsAre(HasSubstr("is defined again")));
}

TEST(ServiceLines, OursAreThoseThatCount) {
  const auto names = [](const std::string& text) {
    const config::MasterCf master_cf = Parse(text);
    std::vector<std::string> names;
    for (const config::MasterService* service : OurServices(master_cf)) {
      names.push_back(service->name);
    }
    return names;
  };
  EXPECT_THAT(names(std::string(kStock) + kBeside), ElementsAre("proxymux"));
  EXPECT_THAT(names(std::string(kInPlace) + kBeside), ElementsAre("proxymap", "proxymux"));
  EXPECT_THAT(names(std::string(kForgotten) + kStock), IsEmpty());
}

TEST(ServiceLines, WhyNobodyListens) {
  const auto why = [](const std::string& text, const std::string& wanted, MasterState master) {
    return WhyNobodyListens(Parse(text), wanted, master);
  };
  EXPECT_THAT(why(kInPlace, "", MasterState::kRuns),
              HasSubstr("the service proxymap starts with the first lookup, and there was none"));
  EXPECT_THAT(why(kInPlace, "", MasterState::kDoesNotRun),
              HasSubstr("Postfix does not run; when it does, the service proxymap starts with"));
  EXPECT_THAT(why(kInPlace, "", MasterState::kUnknown),
              HasSubstr("the service proxymap starts with the first lookup, if Postfix runs"));
  EXPECT_THAT(why(std::string(kInPlace) + kBeside, "", MasterState::kRuns),
              HasSubstr("each of the services proxymap, proxymux starts"));
  EXPECT_THAT(why(std::string(kInPlace) + kBeside, "proxymux", MasterState::kRuns),
              HasSubstr("the service proxymux starts"));
  EXPECT_EQ(why(kStock, "", MasterState::kRuns), "no service in master.cf runs proxymux");
  EXPECT_EQ(why(kInPlace, "other", MasterState::kRuns),
            "no service named other in master.cf runs proxymux");
  EXPECT_THAT(why(std::string(kForgotten) + kStock, "", MasterState::kRuns),
              HasSubstr("master.cf:1: error: the service proxymap (unix) is defined again"));
}

}  // namespace
}  // namespace proxymux::proxy
