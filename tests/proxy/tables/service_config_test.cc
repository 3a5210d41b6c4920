// What proxymux.yaml means for one table or pool, above all when it is broken.
#include "proxy/tables/service_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/yaml/yaml_loader.h"

namespace proxymux::proxy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ServiceConfig Config(const char* text) {
  return ServiceConfig(config::LoadConfigText(text, "proxymux.yaml"));
}

bool Refused(const ServiceConfig& config, const char* table) {
  return std::holds_alternative<std::string>(config.ForTable(table));
}

TEST(ServiceConfig, ATableHasItsOwnSettingsOverThoseOfAll) {
  const ServiceConfig config = Config(
      "table: {query_timeout: 3s}\n"
      "tables:\n  'pgsql:/a.cf': {coalesce: off}\n");
  const auto a = std::get<config::TableSettings>(config.ForTable("pgsql:/a.cf"));
  EXPECT_EQ(a.query_timeout, std::chrono::seconds(3));
  EXPECT_EQ(a.coalesce, config::Coalesce::kOff);
  const auto b = std::get<config::TableSettings>(config.ForTable("pgsql:/b.cf"));
  EXPECT_EQ(b.query_timeout, std::chrono::seconds(3));
  EXPECT_EQ(b.coalesce, config::Coalesce::kInFlight);
}

TEST(ServiceConfig, AnErrorInATablesSectionBreaksThatTableOnly) {
  const ServiceConfig config = Config("tables:\n  'pgsql:/a.cf': {query_timeout: soon}\n");
  ASSERT_TRUE(Refused(config, "pgsql:/a.cf"));
  EXPECT_THAT(std::get<std::string>(config.ForTable("pgsql:/a.cf")), HasSubstr("pgsql:/a.cf"));
  EXPECT_FALSE(Refused(config, "pgsql:/b.cf"));
}

TEST(ServiceConfig, AnErrorInAPoolsSectionBreaksThatPoolOnly) {
  const ServiceConfig config = Config("pools:\n  'mail@db1/mail': {sslmode: verify}\n");
  EXPECT_THAT(std::get<std::string>(config.ForPool("mail@db1/mail")), HasSubstr("mail@db1/mail"));
  EXPECT_TRUE(std::holds_alternative<config::PoolSettings>(config.ForPool("mail@db2/mail")));
  EXPECT_FALSE(Refused(config, "pgsql:/a.cf"));
}

TEST(ServiceConfig, WhatCouldWeakenEveryPoolBreaksEveryTable) {
  for (const char* text :
       {"pool: {sslmode: verify}\n", "pool: {sslmode", "pool: {sslmod: require}\n"}) {
    const ServiceConfig config = Config(text);
    EXPECT_TRUE(Refused(config, "pgsql:/a.cf")) << text;
    EXPECT_TRUE(std::holds_alternative<std::string>(config.ForPool("db/mail"))) << text;
  }
}

TEST(ServiceConfig, TheOrderOfHostsInASectionsNameDoesNotMatter) {
  const ServiceConfig config = Config("pools:\n  'mail@db2,db1:5433/mail': {sslmode: require}\n");
  const auto settings = config.ForPool("mail@db1:5433,db2/mail");
  EXPECT_EQ(std::get<config::PoolSettings>(settings).sslmode, "require");
  EXPECT_EQ(std::get<config::PoolSettings>(config.ForPool("mail@db1:5433,db2/mail#2")).sslmode,
            "require");
}

TEST(ServiceConfig, ASectionForTlsThatNamesNoPoolBreaksThoseItMayHaveBeenMeantFor) {
  const ServiceConfig config = Config("pools:\n  'mail@db1/mail': {sslmode: require}\n");
  const std::set<std::string> pools = {"mail@db1,db2/mail", "web@db3/web"};
  ASSERT_TRUE(config.MisnamedSection("mail@db1,db2/mail", pools).has_value());
  EXPECT_THAT(*config.MisnamedSection("mail@db1,db2/mail", pools), HasSubstr("mail@db1/mail"));
  EXPECT_FALSE(config.MisnamedSection("web@db3/web", pools).has_value()) << "nothing in common";
  EXPECT_FALSE(config.MisnamedSection("mail@db1,db2/mail", {"mail@db1,db2/mail", "mail@db1/mail"})
                   .has_value())
      << "the section has a pool of its own";
}

TEST(ServiceConfig, ABrokenSectionThatNamesNoPoolIsAsDangerous) {
  const ServiceConfig config = Config("pools:\n  'mail@db1/mail': {sslmode: requir}\n");
  EXPECT_TRUE(config.MisnamedSection("mail@db1,db2/mail", {"mail@db1,db2/mail"}).has_value());
}

TEST(ServiceConfig, ASectionWithoutSecurityMayNameNoPool) {
  const ServiceConfig config = Config("pools:\n  'mail@db1/mail': {connections: 8}\n");
  EXPECT_FALSE(config.MisnamedSection("mail@db1,db2/mail", {"mail@db1,db2/mail"}).has_value());
}

TEST(ServiceConfig, AnErrorElsewhereTakesTheDefaultAndServes) {
  const ServiceConfig config = Config("max_clients: many\n");
  EXPECT_TRUE(config.loaded().HasErrors());
  EXPECT_EQ(config.server().max_clients, config::ServerConfig{}.max_clients);
  EXPECT_FALSE(Refused(config, "pgsql:/a.cf"));
}

TEST(ServiceConfig, TheOrderOfHostsInAPoolsNameDoesNotMatter) {
  const ServiceConfig config = Config(
      "pools:\n  'mail@db2,db1/mail': {sslmode: require}\n  'u@db2,db1/x': {sslmode: requir}\n");
  const auto good = config.ForPool("mail@db1,db2/mail");
  ASSERT_TRUE(std::holds_alternative<config::PoolSettings>(good));
  EXPECT_EQ(std::get<config::PoolSettings>(good).sslmode, "require");
  EXPECT_TRUE(std::holds_alternative<std::string>(config.ForPool("u@db1,db2/x")));
  EXPECT_EQ(std::get<config::PoolSettings>(config.ForPool("db1,db2/mail")).sslmode, "");
  EXPECT_THAT(UnusedSections(config.server(), {}, {"mail@db1,db2/mail", "u@db1,db2/x"}), IsEmpty());
}

TEST(ChangesForRestart, NamesWhatAReloadDoesNotTakeUp) {
  const ServiceConfig before = Config("");
  EXPECT_THAT(ChangesForRestart(before.server(), before.server()), IsEmpty());
  EXPECT_THAT(ChangesForRestart(before.server(), Config("drain_timeout: 1s\n").server()),
              IsEmpty());
  EXPECT_THAT(
      ChangesForRestart(before.server(), Config("admin: {listen: '127.0.0.1:9'}\n").server()),
      ElementsAre(HasSubstr("admin.listen has changed")));
}

TEST(SettingChanges, SayWhatIsAndWhatWas) {
  const ServiceConfig before = Config(
      "pool: {connections: 4}\npools:\n  'db1/mail': {connections: 2}\n"
      "tables:\n  'pgsql:/a.cf': {query_timeout: 3s}\n  'pgsql:/b.cf': {query_timeout: 3s}\n");
  EXPECT_THAT(SettingChanges(before.server(), before.server()), IsEmpty());
  const ServiceConfig after = Config(
      "drain_timeout: 1s\nadmin: {listen: '127.0.0.1:9'}\npool: {connections: 8}\n"
      "pools:\n  'db1/mail': {connections: 2, queue_limit: 5}\n"
      "tables:\n  'pgsql:/b.cf': {query_timeout: 3s}\n  'pgsql:/c.cf': {query_timeout: 3s}\n");
  EXPECT_THAT(
      SettingChanges(before.server(), after.server()),
      ElementsAre("proxymux.yaml: drain_timeout is 1s now, it was 5s",
                  "proxymux.yaml: admin.listen will be 127.0.0.1:9 at the next start (postfix "
                  "reload), it is \"\"",
                  "proxymux.yaml: pool.connections is 8 now, it was 4",
                  "proxymux.yaml: the section of pool db1/mail has changed",
                  "proxymux.yaml: the section of table pgsql:/a.cf has changed",
                  "proxymux.yaml: the section of table pgsql:/c.cf has changed"));
}

TEST(UnusedSections, SectionsThatNothingUsesAreNamedWithWhatThereIs) {
  const ServiceConfig config = Config(
      "tables:\n  'pgsql:/a.cf': {query_timeout: 3s}\n  'pgsql:/typo.cf': {query_timeout: 3s}\n"
      "pools:\n  'db1/mail': {connections: 2}\n  'db2/mail': {connections: 2}\n");
  EXPECT_THAT(
      UnusedSections(config.server(), {"pgsql:/a.cf", "unix:passwd.byname"},
                     {"db1/mail", "u@db3/x"}),
      ElementsAre("proxymux.yaml: tables: pgsql:/typo.cf is not among the approved tables; its "
                  "section has no effect",
                  "proxymux.yaml: pools: no table uses a pool named db2/mail; its section has no "
                  "effect (there are: db1/mail, u@db3/x)"));
}

TEST(UnusedSections, NoSectionsNoComplaint) {
  EXPECT_THAT(UnusedSections(Config("").server(), {}, {}), IsEmpty());
}

TEST(UnusedSections, WithoutAnyPoolTheLineHasNoEmptyList) {
  const ServiceConfig config = Config("pools:\n  'db1/mail': {connections: 2}\n");
  EXPECT_THAT(UnusedSections(config.server(), {}, {}),
              ElementsAre("proxymux.yaml: pools: no table uses a pool named db1/mail; its section "
                          "has no effect (there is no pool)"));
}

}  // namespace
}  // namespace proxymux::proxy
