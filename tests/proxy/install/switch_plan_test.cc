// What install and uninstall would change, from each state of the files.
#include "proxy/install/switch_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace proxymux::proxy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr char kStock[] = "proxymap unix - - n - - proxymap\n";
constexpr char kBeside[] = "proxymux unix - - n - 1 proxymux\n";
constexpr char kInPlace[] = "proxymap unix - - n - 1 proxymux -o proxymap_service_name=proxymap\n";

const std::vector<std::string> kAddBeside = {"-M",
                                             "proxymux/unix=proxymux unix - - n - 1 proxymux"};
const std::vector<std::string> kSend = {"-e", "proxymap_service_name=proxymux"};
const std::vector<std::string> kSendBack = {"-X", "proxymap_service_name"};
const std::vector<std::string> kPutInPlace = {
    "-M", "proxymap/unix=proxymap unix - - n - 1 proxymux -o proxymap_service_name=proxymap"};
const std::vector<std::string> kPutStock = {"-M", "proxymap/unix=proxymap unix - - n - - proxymap"};

SwitchFiles Files(const std::string& master_cf, const std::string& service_name = "") {
  SwitchFiles files;
  files.config_directory = "/etc/postfix";
  files.master_cf = config::ParseMasterCf(master_cf, "master.cf");
  files.service_name = service_name.empty() ? "proxymap" : service_name;
  files.service_name_is_set = !service_name.empty();
  return files;
}
SwitchPlan Plan(const std::variant<SwitchPlan, std::string>& made) {
  const auto* plan = std::get_if<SwitchPlan>(&made);
  EXPECT_NE(plan, nullptr) << std::get<std::string>(made);
  return plan == nullptr ? SwitchPlan() : *plan;
}
// All runs, those for master.cf first.
PostconfRuns Runs(const SwitchPlan& plan) {
  PostconfRuns runs = plan.master_cf;
  runs.insert(runs.end(), plan.main_cf.begin(), plan.main_cf.end());
  return runs;
}
PostconfRuns There(const SwitchFiles& files, SwitchWay way) {
  return Runs(Plan(PlanInstall(files, way)));
}
PostconfRuns Back(const SwitchFiles& files) { return Runs(Plan(PlanUninstall(files))); }
std::string WhyNot(const std::variant<SwitchPlan, std::string>& made) {
  const auto* text = std::get_if<std::string>(&made);
  return text == nullptr ? "it can be done" : *text;
}

TEST(SwitchPlan, Beside) {
  const SwitchPlan plan = Plan(PlanInstall(Files(kStock), SwitchWay::kBeside));
  EXPECT_THAT(plan.master_cf, ElementsAre(kAddBeside));
  EXPECT_THAT(plan.main_cf, ElementsAre(kSend));
  const std::string both = std::string(kStock) + kBeside;
  EXPECT_THAT(There(Files(both), SwitchWay::kBeside), ElementsAre(kSend));
  EXPECT_THAT(There(Files(both, "proxymux"), SwitchWay::kBeside), IsEmpty());
}

// Daemons that are at work still ask there.
TEST(SwitchPlan, OnTheWayBackTheLineBesideStays) {
  const std::string both = std::string(kStock) + kBeside;
  const SwitchPlan plan = Plan(PlanUninstall(Files(both, "proxymux")));
  EXPECT_THAT(Runs(plan), ElementsAre(kSendBack));
  EXPECT_THAT(plan.note, HasSubstr("master.cf:2: the service proxymux stays"));
  EXPECT_THAT(plan.note, HasSubstr("postconf -c /etc/postfix -MX proxymux/unix && "
                                   "postfix -c /etc/postfix reload"));
  EXPECT_THAT(Back(Files(both)), IsEmpty());
}

TEST(SwitchPlan, InPlace) {
  EXPECT_THAT(There(Files(kStock), SwitchWay::kInPlace), ElementsAre(kPutInPlace));
  EXPECT_THAT(There(Files(kInPlace), SwitchWay::kInPlace), IsEmpty());
  EXPECT_THAT(There(Files("proxymap unix - - n - 1 proxymux\n"), SwitchWay::kInPlace),
              ElementsAre(kPutInPlace))
      << "the next upgrade of Postfix would push that one aside";
  EXPECT_THAT(Back(Files(kInPlace)), ElementsAre(kPutStock));
}

TEST(SwitchPlan, WhatALineTellsItsProgramIsKept) {
  EXPECT_THAT(There(Files("proxymap unix - - n - - proxymap -v\n  -o proxy_read_maps=$x\n"),
                    SwitchWay::kInPlace),
              ElementsAre(std::vector<std::string>{
                  "-M",
                  "proxymap/unix=proxymap unix - - n - 1 proxymux -o "
                  "proxymap_service_name=proxymap -v  -o proxy_read_maps=$x"}));
  EXPECT_THAT(
      Back(Files("proxymap unix - - n - 1 proxymux -o proxymap_service_name=proxymap -v\n")),
      ElementsAre(
          std::vector<std::string>{"-M", "proxymap/unix=proxymap unix - - n - - proxymap -v"}));
}

TEST(SwitchPlan, TheLineBesideHasWhatStocksTellsItsProgram) {
  EXPECT_THAT(There(Files("proxymap unix - - n - 9 proxymap -o proxy_read_maps=$x -v\n"),
                    SwitchWay::kBeside),
              ElementsAre(std::vector<std::string>{"-M",
                                                   "proxymux/unix=proxymux unix - - n - 1 proxymux "
                                                   "-o proxy_read_maps=$x -v"},
                          kSend));
}

// Cut in a word, it would be another option.
TEST(SwitchPlan, AnotherServiceOfASimilarNameIsNotOurOption) {
  const std::string line =
      "proxymap unix - - n - 1 proxymux -o proxymap_service_name=proxymap-stock\n";
  EXPECT_THAT(Back(Files(line)),
              ElementsAre(std::vector<std::string>{
                  "-M",
                  "proxymap/unix=proxymap unix - - n - - proxymap -o "
                  "proxymap_service_name=proxymap-stock"}));
}

TEST(SwitchPlan, WhoHasAWayOfHisOwnIsNamed) {
  const std::string smtpd = "smtp inet n - n - - smtpd\n -o proxymap_service_name=";
  const std::string both = std::string(kStock) + kBeside;
  EXPECT_THAT(Plan(PlanInstall(Files(kStock + smtpd + "proxymap\n"), SwitchWay::kBeside)).note,
              HasSubstr("master.cf:3: the service smtp goes on asking proxymap"));
  EXPECT_EQ(Plan(PlanInstall(Files(kStock + smtpd + "proxymux\n"), SwitchWay::kBeside)).note, "");
  const std::string note = Plan(PlanUninstall(Files(both + smtpd + "proxymux\n"))).note;
  EXPECT_THAT(note, HasSubstr("master.cf:4: the service smtp goes on asking proxymux"));
  EXPECT_THAT(note, Not(HasSubstr("nobody is sent there")));
}

TEST(SwitchPlan, WhereNothingIsInstalledNothingIsTakenOut) {
  EXPECT_THAT(Back(Files(kStock)), IsEmpty());
  EXPECT_THAT(Back(Files("")), IsEmpty());
  EXPECT_THAT(Back(Files(kStock, "another")), IsEmpty());
}

TEST(SwitchPlan, StockGetsTheFieldsBackThatItHad) {
  SwitchFiles files = Files(kInPlace);
  files.backups = {config::ParseMasterCf(kInPlace, "later"),
                   config::ParseMasterCf("proxymap unix - - n - 50 proxymap\n", "then"),
                   config::ParseMasterCf("proxymap unix - - y - 9 proxymap\n", "before")};
  EXPECT_THAT(Back(files), ElementsAre(std::vector<std::string>{
                               "-M", "proxymap/unix=proxymap unix - - n - 50 proxymap"}));
}

TEST(SwitchPlan, WhereStocksLineIsMissingItIsPutThere) {
  SwitchFiles files = Files(kBeside, "proxymux");
  EXPECT_THAT(Back(files), ElementsAre(kPutStock, kSendBack));
  files.backups = {config::ParseMasterCf("proxymap unix - - n - 9 proxymap -v\n", "before")};
  EXPECT_THAT(Back(files), ElementsAre(std::vector<std::string>{
                                           "-M", "proxymap/unix=proxymap unix - - n - 9 proxymap -v"},
                                       kSendBack));
}

TEST(SwitchPlan, ASettingThatNamesAServiceOfOursThatIsGoneIsTakenOut) {
  EXPECT_THAT(Back(Files(kStock, "proxymux")), ElementsAre(kSendBack));
}

TEST(SwitchPlan, OneWayAtATime) {
  EXPECT_THAT(WhyNot(PlanInstall(Files(kInPlace), SwitchWay::kBeside)),
              HasSubstr("master.cf:1: proxymux stands in stock's place already"));
  EXPECT_THAT(
      WhyNot(PlanInstall(Files(std::string(kStock) + kBeside, "proxymux"), SwitchWay::kInPlace)),
      HasSubstr("main.cf sends lookups to the service proxymux"));
}

TEST(SwitchPlan, WhatIsSomebodyElsesIsNotTouched) {
  EXPECT_THAT(WhyNot(PlanInstall(Files(kStock, "another"), SwitchWay::kBeside)),
              HasSubstr("neither stock's nor ours"));
  EXPECT_THAT(WhyNot(PlanInstall(Files(std::string(kStock) + "proxymux unix - - n - 1 other\n"),
                                 SwitchWay::kBeside)),
              HasSubstr("master.cf:2: the service proxymux runs another program, other"));
  EXPECT_THAT(WhyNot(PlanInstall(Files("proxymap unix - - n - - myproxy -x\n"),
                                 SwitchWay::kInPlace)),
              HasSubstr("master.cf:1: the service proxymap runs another program, myproxy"));
}

TEST(SwitchPlan, TheOptionStandsInItsLine) {
  const std::string folded =
      "smtp inet n - n - - smtpd\n"
      "proxymap   unix  -       -       n       -       1       proxymux\n"
      "    -o proxymap_service_name=proxymap\n"
      "    -o x=y\n"
      "other unix - - n - 1 other\n"
      "    -o proxymap_service_name=proxymap\n";
  EXPECT_EQ(WithOptionInLine(folded),
            "smtp inet n - n - - smtpd\n"
            "proxymap   unix  -       -       n       -       1       proxymux -o "
            "proxymap_service_name=proxymap\n"
            "    -o x=y\n"
            "other unix - - n - 1 other\n"
            "    -o proxymap_service_name=proxymap\n");
  for (const char* text : {"", "\n", kInPlace, "-o proxymap_service_name=proxymap",
                           "\n-o proxymap_service_name=proxymap"}) {
    EXPECT_EQ(WithOptionInLine(text), text);
  }
  EXPECT_TRUE(config::ParseMasterCf(WithOptionInLine(folded), "m").names_stock_proxymap);
}

}  // namespace
}  // namespace proxymux::proxy
