// `proxymux lookup`: which settings count, those of main.cf and of proxymux.yaml, and with whose
// rights it asks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>

#include "tests/integration/lookup_programs.h"
#include "tests/integration/mail_world.h"

namespace proxymux::integration {
namespace {

using harness::CommandResult;
using harness::TableText;
using testing::AllOf;
using testing::HasSubstr;

using LookupSettings = LookupPrograms;

TEST_F(LookupSettings, ATableThatIsDefinedInMainCf) {
  auto options = postfix_.options();
  options.main_cf = {"aliases_hosts = " + world_.first().TcpHost(),
                     std::string("aliases_user = ") + harness::kMailRole,
                     std::string("aliases_password = ") + harness::kMailPassword,
                     "aliases_dbname = $aliases_base",
                     std::string("aliases_base = ") + harness::kMailDatabase,
                     "aliases_query = SELECT goto FROM alias WHERE address = '%s'",
                     "stray_dbname = x",
                     "stray_query = SELECT 1 WHERE '%s' ~ 'x$'"};
  postfix_.WriteMainCf(options);
  ExpectValue("user7@example7.com", "pgsql:aliases", "box7@store.example.net");
  ExpectNoValue("nobody@example7.com", "pgsql:aliases");
  ExpectError("x", "pgsql:other", {"other_query", Path("main.cf")});
  ExpectError("x", "pgsql:stray",
              {Path("main.cf") + ":", "error: stray_query: a \"$\" without", "write `$$`"});
  const CommandResult report = Explain("user8@example8.com", "pgsql:aliases");
  EXPECT_THAT(report.out, HasSubstr("value:      \"box8@store.example.net\"\n"));
  EXPECT_THAT(report.out, HasSubstr("table:      pgsql:aliases\n"));
}

TEST_F(LookupSettings, WithoutMainCfAPathIsEnoughAndANameIsNot) {
  std::filesystem::remove(Path("main.cf"));
  const CommandResult found =
      Ask("ÜSER7@example7.com", NewTable("echo.cf", "SELECT '%s', pg_client_encoding()"));
  EXPECT_EQ(found.out, "üser7@example7.com,UTF8\n") << "as the newest Postfix does";
  EXPECT_EQ(found.err, "");
  EXPECT_EQ(found.status, 0);
  EXPECT_EQ(Ask("USER7@example7.com", "pgsql:./pgsql-aliases.cf").out, "box7@store.example.net\n");
  EXPECT_EQ(Ask("user7@example7.com", "proxy:" + postfix_.Table("pgsql-aliases.cf")).out,
            "box7@store.example.net\n");
  const CommandResult name = Ask("x", "pgsql:aliases");
  EXPECT_EQ(name.status, 1);
  EXPECT_THAT(name.err, AllOf(HasSubstr(Path("main.cf")), HasSubstr("--config-directory")));
  EXPECT_THAT(Explain("x", postfix_.Table("echo.cf")).out,
              HasSubstr("settings:   without " + Path("main.cf") + " (No such file"));
}

TEST_F(LookupSettings, SettingsOfProxymuxYamlCount) {
  const std::string slow = NewTable("slow.cf", "SELECT pg_sleep(60)::text");
  const std::string name = NewTable("name.cf", "SELECT current_setting('application_name')");
  postfix_.WriteConfig("proxymux.yaml",
                       "pool: {application_name: looker}\n"
                       "tables: {'" +
                           slow + "': {lookup_timeout: 300ms}}\n",
                       0644);
  EXPECT_EQ(Ask("x", name).out, "looker\n");
  const auto begin = std::chrono::steady_clock::now();
  const CommandResult result = Ask("x", slow);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(15));
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("lookup_timeout"));
  EXPECT_THAT(Explain("x", name).out, AllOf(HasSubstr("with " + Path("proxymux.yaml")),
                                            HasSubstr("value:      \"looker\"")));

  postfix_.WriteConfig("proxymux.yaml", "pool: {sslmode: requir}\n", 0644);
  const CommandResult broken = Ask("x", name);
  EXPECT_EQ(broken.out, "") << "never with weaker settings than those that were meant";
  EXPECT_EQ(broken.status, 1);
  EXPECT_THAT(broken.err, HasSubstr("proxymux.yaml:1:"));
}

// Run by root it could connect where the service cannot: by root's name, and with root's files.
TEST_F(LookupSettings, AsksWithTheRightsOfTheService) {
  const std::string directory = world_.NewDirectory();
  harness::PostgresCluster::Options options;
  options.settings = {"hba_file = '" + directory + ".hba'"};
  harness::WriteFile(directory + ".hba",
                     "local all postgres trust\nhost all postgres 127.0.0.1/32 trust\n"
                     "local all all peer\nhost all all 127.0.0.1/32 scram-sha-256\n");
  harness::PostgresCluster server(directory, options);
  server.Start();
  server.Sql("postgres", "CREATE ROLE root LOGIN; CREATE ROLE only_root LOGIN PASSWORD 'file'");
  const auto text = [](const std::string& host, const std::string& more) {
    return "hosts = " + host + "\ndbname = postgres\nquery = SELECT session_user\n" + more;
  };
  postfix_.WriteConfig("peer.cf", text(server.socket_directory(), ""), 0600);
  const std::string table = postfix_.Table("peer.cf");
  const CommandResult refused = Ask("x", table);
  EXPECT_EQ(refused.out, "") << "root may connect, the service may not";
  EXPECT_THAT(refused.err, HasSubstr("\"postfix\"")) << "the table itself was read as root";
  server.Sql("postgres", "CREATE ROLE postfix LOGIN");
  EXPECT_EQ(Ask("x", table).out, "postfix\n");
  EXPECT_THAT(Explain("x", table).out,
              HasSubstr("user:       postfix (mail_owner), as the service\n"));

  // Root's own file of passwords, by its name in the environment.
  harness::WriteFile(directory + ".pgpass", "*:*:*:only_root:file\n", 0600);
  postfix_.WriteConfig("file.cf", text(server.TcpHost(), "user = only_root\n"));
  harness::CommandOptions with_file;
  with_file.environment["PGPASSFILE"] = directory + ".pgpass";
  const Words words = {std::filesystem::absolute(harness::ProxymuxBinary()),
                       "lookup",
                       "-c",
                       postfix_.config_directory(),
                       "x",
                       postfix_.Table("file.cf")};
  const CommandResult without = harness::RunCommand(words, with_file);
  EXPECT_EQ(without.out, "");
  EXPECT_THAT(without.err, HasSubstr("no password supplied"));

  std::filesystem::remove(Path("main.cf"));
  EXPECT_THAT(Explain("x", table).out, HasSubstr("user:       root; who the service runs as is not "
                                                 "known without main.cf\n"));
}

// The section may be meant for this table's pool, unless it is that of another approved table.
TEST_F(LookupSettings, ASectionThatAsksForTlsAndNamesNoPoolKeepsItFromBeingUsed) {
  const std::string host = world_.first().TcpHost();
  postfix_.WriteConfig("one.cf", TableText(host, "SELECT 'one'"));
  const std::string table = postfix_.Table("one.cf");
  postfix_.WriteConfig("proxymux.yaml",
                       "pools: {'" + std::string(harness::kMailRole) + "@" + host +
                           "/postgres': {sslmode: require}}\n",
                       0644);
  const CommandResult refused = Ask("x", table);
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("asks for TLS but names no pool"));

  std::string other = TableText(host, "SELECT 'other'");
  const std::string from = std::string("dbname = ") + harness::kMailDatabase;
  other.replace(other.find(from), from.size(), "dbname = postgres");
  auto options = postfix_.options();
  options.tables.push_back({"other.cf", other});
  postfix_.WriteConfig("other.cf", other);
  postfix_.WriteMainCf(options);
  EXPECT_EQ(Ask("x", table).out, "one\n") << Ask("x", table).err;
}

}  // namespace
}  // namespace proxymux::integration
