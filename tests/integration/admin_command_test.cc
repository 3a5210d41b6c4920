// The commands for the administrator: `proxymux ctl`, `check` and `config`, and what is said of
// those that there are not.
#include <gtest/gtest.h>

#include <string>

#include "tests/integration/standalone_world.h"

namespace proxymux::integration {
namespace {

using harness::CommandResult;

TEST_F(Standalone, CtlStatusShowsPoolsHostsAndTables) {
  Serve();
  ExpectGoodLookup();
  const CommandResult result = Command({"ctl", "status", "--socket", admin_});
  EXPECT_EQ(result.status, 0) << result.err;
  for (const std::string& word :
       {world_.first().TcpHost(), world_.second().TcpHost(), std::string("pgsql-aliases.cf")}) {
    EXPECT_NE(result.out.find(word), std::string::npos) << word << " in:\n" << result.out;
  }
  child_.reset();
  const CommandResult nobody = Command({"ctl", "status", "--socket", admin_});
  EXPECT_NE(nobody.status, 0);
  EXPECT_NE(nobody.err.find(admin_), std::string::npos) << nobody.err;
}

TEST_F(Standalone, CheckIsSilentAboutGoodFilesAndNamesThePlaceInBadOnes) {
  const CommandResult good = Command({"check", "--config-directory", postfix_.config_directory()});
  EXPECT_EQ(good.status, 0) << good.out << good.err;
  WriteSettings("pool: {conections: 4}\n");
  postfix_.WriteConfig("pgsql-relay.cf", "hosts = x\nno equals sign\n");
  const CommandResult bad = Command({"check", "--config-directory", postfix_.config_directory()});
  EXPECT_NE(bad.status, 0);
  const std::string said = bad.out + bad.err;
  EXPECT_NE(said.find("proxymux.yaml:2:8"), std::string::npos) << said;
  EXPECT_NE(said.find("connections"), std::string::npos) << said;
  EXPECT_NE(said.find("pgsql-relay.cf:2"), std::string::npos) << said;
}

TEST_F(Standalone, CheckWarnsOfAFileThatIsReadAtTheStartOnly) {
  postfix_.WriteConfig("pgsql-relay.cf",
                       harness::ReadFile(postfix_.config_directory() + "/pgsql-relay.cf"), 0600);
  const CommandResult result =
      Command({"check", "--config-directory", postfix_.config_directory()});
  EXPECT_EQ(result.status, 1) << result.out << result.err;
  EXPECT_NE(result.out.find("pgsql-relay.cf: warning: postfix cannot read it"), std::string::npos)
      << result.out;
}

TEST_F(Standalone, CheckWarnsOfACacheThatCannotBe) {
  postfix_.WriteConfig(
      "pgsql-relay.cf",
      harness::TableText(world_.Hosts(), "UPDATE t SET n = n + 1 WHERE k = '%s' RETURNING n"));
  for (const char* settings :
       {"stale_if_error: 1h", "cache: {ttl: 1s}", "cache: {max_entries: 9}"}) {
    WriteSettings("table: {" + std::string(settings) + "}\n");
    const CommandResult result =
        Command({"check", "--config-directory", postfix_.config_directory()});
    const bool kept = std::string(settings).find("max_entries") == std::string::npos;
    EXPECT_EQ(result.status, kept ? 1 : 0) << result.out << result.err;
    EXPECT_EQ(result.out.find(
                  "pgsql-relay.cf:5: warning: cache and stale_if_error have no effect: its query "
                  "may write") != std::string::npos,
              kept)
        << result.out;
    EXPECT_EQ(result.out.find("pgsql-aliases.cf:5: warning: cache"), std::string::npos)
        << result.out;
  }
}

TEST_F(Standalone, CheckWarnsOfAnOutageThatIsNotWaitedFor) {
  const auto warned = [this](const std::string& settings) {
    WriteSettings(settings);
    const std::string out =
        Command({"check", "--config-directory", postfix_.config_directory()}).out;
    return out.find(
               "wait in an outage for no longer than lookup_timeout, 20s, although "
               "outage_wait is 30s") != std::string::npos;
  };
  EXPECT_TRUE(warned("pool: {outage_wait: 30s}\n"));
  EXPECT_FALSE(warned("pool: {outage_wait: 30s}\ntable: {lookup_timeout: 30s}\n"));
  EXPECT_FALSE(warned(""));
}

// The section was meant for the tables' pool: without it they would go on without TLS.
TEST_F(Standalone, CheckRefusesASectionForTlsThatNamesNoPool) {
  WriteSettings("pools: {\"mailreader@127.0.0.1:1/mail\": {sslmode: require}}\n");
  const CommandResult result =
      Command({"check", "--config-directory", postfix_.config_directory()});
  EXPECT_EQ(result.status, 2) << result.out << result.err;
  EXPECT_NE(result.out.find("names no pool"), std::string::npos) << result.out;
}

TEST_F(Standalone, ConfigShowPrintsWhatIsInForceAndReferenceWhatThereIs) {
  WriteSettings("drain_timeout: 3s\n");
  const CommandResult show =
      Command({"config", "show", "--config-directory", postfix_.config_directory()});
  EXPECT_EQ(show.status, 0) << show.err;
  EXPECT_NE(show.out.find("drain_timeout: 3s"), std::string::npos) << show.out;
  EXPECT_NE(show.out.find("connections: 4"), std::string::npos) << show.out;
  const CommandResult reference = Command({"config", "reference"});
  EXPECT_EQ(reference.status, 0) << reference.err;
  EXPECT_NE(reference.out.find("drain_timeout"), std::string::npos);
  // What show prints is a settings file itself.
  postfix_.WriteConfig("proxymux.yaml", show.out, 0644);
  const CommandResult check = Command({"check", "--config-directory", postfix_.config_directory()});
  EXPECT_EQ(check.status, 0) << check.out << check.err;
}

TEST_F(Standalone, UnknownCommandsAndOptionsSayWhatThereIs) {
  EXPECT_EQ(Command({"--help"}).status, 0);
  const CommandResult version = Command({"--version"});
  EXPECT_EQ(version.status, 0);
  for (const char* part : {"proxymux ", "build id ", "libpq ", "libuv ", "Postfix "}) {
    EXPECT_NE(version.out.find(part), std::string::npos) << version.out;
  }
  const CommandResult unknown = Command({"frobnicate"});
  EXPECT_EQ(unknown.status, 2);
  EXPECT_NE(unknown.err.find("there is no command frobnicate"), std::string::npos) << unknown.err;
  EXPECT_EQ(Command({"serve", "--frobnicate"}).status, 2);
}

}  // namespace
}  // namespace proxymux::integration
