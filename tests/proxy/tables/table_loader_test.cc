// From a table's name to what is served: real files, real pools that nobody connects.
#include "proxy/tables/table_loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/yaml/yaml_loader.h"
#include "tests/config/values/messages.h"
#include "tests/proxy/tables/tables_world.h"

namespace proxymux::proxy {
namespace {

using config::Messages;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class TableLoaderTest : public TablesWorld {
 protected:
  LoadedTable Load(const std::string& name, const char* yaml = "") {
    TableLoader loader(&pools_, config::MailVersion{3, 7}, true, &main_cf_, "/etc/postfix/main.cf");
    return loader.Load(name, ServiceConfig(config::LoadConfigText(yaml, "proxymux.yaml")));
  }
  LoadedTable LoadText(const std::string& text, const char* yaml = "") {
    harness::WriteFile(Path("x.cf"), text);
    return Load("pgsql:" + Path("x.cf"), yaml);
  }
};

TEST_F(TableLoaderTest, AGoodFileIsReadyToBeServed) {
  const LoadedTable loaded = LoadText(kGood);
  ASSERT_NE(loaded.binding, nullptr) << Messages(loaded);
  EXPECT_EQ(loaded.binding->name, "pgsql:" + Path("x.cf"));
  EXPECT_EQ(loaded.binding->write_class, pgsql::WriteClass::kUnknown);  // the catalogue tells
  ASSERT_NE(loaded.pool, nullptr);
  EXPECT_EQ(loaded.pool->name(), "db1/mail");
  EXPECT_EQ(loaded.Reason(), "");
  EXPECT_THAT(loaded.diagnostics, IsEmpty()) << Messages(loaded);
  ASSERT_EQ(loaded.files.size(), 1u);
  EXPECT_EQ(loaded.files.begin()->second, FileSignature::Of(Path("x.cf")));
}

TEST_F(TableLoaderTest, WhetherItMayWriteIsToldFromTheText) {
  EXPECT_EQ(LoadText("dbname = d\nquery = UPDATE t SET a = '%s'\n").binding->write_class,
            pgsql::WriteClass::kMayWrite);
  EXPECT_EQ(LoadText("dbname = d\nquery = SELECT f('%s')\n").binding->write_class,
            pgsql::WriteClass::kUnknown);
}

TEST_F(TableLoaderTest, TablesWithTheSameServerShareAPool) {
  harness::WriteFile(Path("y.cf"), "hosts = db1\ndbname = mail\nquery = SELECT 1\n");
  EXPECT_EQ(LoadText(kGood).pool, Load("pgsql:" + Path("y.cf")).pool);
  EXPECT_NE(LoadText(std::string(kGood) + "password = x\n").pool,
            Load("pgsql:" + Path("y.cf")).pool);
}

TEST_F(TableLoaderTest, AMissingFileIsAnErrorAndIsWaitedFor) {
  const LoadedTable loaded = Load("pgsql:/nonexistent/x.cf");
  EXPECT_EQ(loaded.binding, nullptr);
  EXPECT_EQ(loaded.Reason(), "/nonexistent/x.cf: error: cannot be read: No such file or directory");
  ASSERT_EQ(loaded.files.size(), 1u);
  EXPECT_EQ(loaded.files.begin()->second, FileSignature());
}

TEST_F(TableLoaderTest, SyntaxErrorsCarryTheirLineAndAllAreTold) {
  const LoadedTable loaded = LoadText(
      "hosts = db1\nthis line has no equals sign\ndbname = mail\nquery = SELECT 1\n"
      "expansion_limit = many\n");
  EXPECT_EQ(loaded.binding, nullptr);
  EXPECT_EQ(loaded.pool, nullptr);
  EXPECT_THAT(loaded.Reason(), HasSubstr(Path("x.cf") + ":2: error: "));
  EXPECT_THAT(Messages(loaded), HasSubstr(Path("x.cf") + ":5: error: "));
  EXPECT_EQ(loaded.files.size(), 1u) << "a mended file must be noticed";
}

TEST_F(TableLoaderTest, ABadTemplateNamesItsSetting) {
  const LoadedTable loaded = LoadText("dbname = mail\nquery = SELECT '%x'\nresult_format = %q\n");
  EXPECT_EQ(loaded.binding, nullptr);
  EXPECT_THAT(Messages(loaded), HasSubstr("query"));
  EXPECT_THAT(Messages(loaded), HasSubstr("result_format"));
  EXPECT_THAT(loaded.Reason(), HasSubstr(Path("x.cf") + ":2: error: "));
}

TEST_F(TableLoaderTest, WarningsLeaveTheTableInUse) {
  const LoadedTable loaded = LoadText(std::string(kGood) + "port = 5433\n");
  EXPECT_NE(loaded.binding, nullptr);
  EXPECT_THAT(Messages(loaded), HasSubstr(Path("x.cf") + ":4: warning: "));
  EXPECT_EQ(loaded.Reason(), "");
}

TEST_F(TableLoaderTest, FilesOfADomainListBelongToTheTable) {
  harness::WriteFile(Path("domains"), "example.com\n");
  const LoadedTable loaded = LoadText(std::string(kGood) + "domain = " + Path("domains") + "\n");
  ASSERT_NE(loaded.binding, nullptr) << Messages(loaded);
  EXPECT_TRUE(loaded.files.contains(Path("x.cf")));
  EXPECT_TRUE(loaded.files.contains(Path("domains")));
}

TEST_F(TableLoaderTest, AMissingDomainListIsWaitedFor) {
  const LoadedTable loaded = LoadText(std::string(kGood) + "domain = " + Path("none") + "\n");
  ASSERT_TRUE(loaded.files.contains(Path("none")));
  EXPECT_EQ(loaded.files.at(Path("none")), FileSignature());
}

TEST_F(TableLoaderTest, ATableDefinedInMainCf) {
  main_cf_ = {{"aliases_hosts", "db9", 11},
              {"aliases_dbname", "mail", 12},
              {"aliases_query", "SELECT a FROM t WHERE b = '%s'", 13}};
  const LoadedTable loaded = Load("pgsql:aliases");
  ASSERT_NE(loaded.binding, nullptr) << Messages(loaded);
  EXPECT_EQ(loaded.pool->name(), "db9/mail");
  EXPECT_THAT(loaded.files, IsEmpty());
}

TEST_F(TableLoaderTest, ErrorsOfATableInMainCfAreLocatedThere) {
  main_cf_ = {{"aliases_dbname", "mail", 12},
              {"aliases_query", "SELECT 1", 13},
              {"aliases_expansion_limit", "x", 14}};
  EXPECT_THAT(Load("pgsql:aliases").Reason(), HasSubstr("/etc/postfix/main.cf:14: error: "));
  EXPECT_THAT(Load("pgsql:nothing_of_it").Reason(), HasSubstr("/etc/postfix/main.cf"));
  EXPECT_EQ(Load("pgsql:").binding, nullptr);
}

TEST_F(TableLoaderTest, BrokenSettingsOfATableBreakItRatherThanBeIgnored) {
  const std::string yaml = "tables: {'pgsql:" + Path("x.cf") + "': {query_timeout: soon}}\n";
  const LoadedTable loaded = LoadText(kGood, yaml.c_str());
  EXPECT_EQ(loaded.binding, nullptr);
  EXPECT_THAT(loaded.Reason(), HasSubstr("proxymux.yaml"));
}

TEST_F(TableLoaderTest, BrokenSettingsOfAPoolNeverFallBackToWeakerOnes) {
  const LoadedTable good = LoadText(kGood, "pools: {'db1/mail': {sslmode: require}}\n");
  ASSERT_NE(good.binding, nullptr) << Messages(good);
  EXPECT_EQ(good.pool->settings().sslmode, "require");
  for (const char* yaml :
       {"pools: {'db1/mail': {sslmode: requir}}\n", "pools: {'db1/mail': {sslmod: require}}\n",
        "pools: {'db1/mail': {sslrootcert: [a]}}\n", "pool: {sslmode: x}\n",
        "pools: {'db1/mail': {sslmode: require\n"}) {
    const LoadedTable loaded = LoadText(kGood, yaml);
    EXPECT_EQ(loaded.binding, nullptr) << yaml;
    EXPECT_EQ(loaded.pool, nullptr) << yaml;
    EXPECT_THAT(loaded.Reason(), HasSubstr("proxymux.yaml")) << yaml;
  }
}

// Two pools of one display name, that differ in what it does not show: the settings are of both.
TEST_F(TableLoaderTest, PoolSettingsReachEveryPoolOfThatName) {
  const char* yaml = "pools: {'db1/mail': {sslmode: require}}\n";
  const LoadedTable first = LoadText(kGood, yaml);
  const LoadedTable second = LoadText(std::string(kGood) + "encoding = UTF8\n", yaml);
  ASSERT_NE(second.binding, nullptr) << Messages(second);
  EXPECT_NE(first.pool, second.pool);
  EXPECT_EQ(second.pool->name(), "db1/mail#2");
  EXPECT_EQ(second.pool->settings().sslmode, "require");
  EXPECT_EQ(
      LoadText(std::string(kGood) + "encoding = UTF8\n", "pools: {'db1/mail': {sslmode: requir}}\n")
          .binding,
      nullptr);
}

TEST_F(TableLoaderTest, PasswordsDoNotReachAMessage) {
  const LoadedTable loaded = LoadText(
      "hosts = postgresql://u:geheim@h:notaport/d\npassword = geheim\npassword = geheim2\n"
      "dbname = password=geheim nonsense\nquery = SELECT '%s'\n");
  EXPECT_FALSE(loaded.diagnostics.empty());
  EXPECT_THAT(Messages(loaded), Not(HasSubstr("geheim")));
}

TEST_F(TableLoaderTest, HedgingIsForTablesWhoseSettingsAskForIt) {
  for (const int percent : {0, 100}) {
    const std::string yaml = "table: {hedge_percent: " + std::to_string(percent) + "}\n";
    const LoadedTable loaded = LoadText(kGood, yaml.c_str());
    ASSERT_NE(loaded.binding, nullptr) << Messages(loaded);
    loaded.binding->usual_wait.Record(std::chrono::milliseconds(1));
    EXPECT_EQ(loaded.binding->usual_wait.MaySpend(), percent > 0);
  }
}

}  // namespace
}  // namespace proxymux::proxy
