// Without master(8): `proxymux serve`, socket activation, SIGHUP; and the commands for the
// administrator.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/harness/admin_client.h"
#include "tests/harness/load_clients.h"
#include "tests/harness/load_on.h"
#include "tests/harness/proxymap_client.h"
#include "tests/harness/socket.h"
#include "tests/integration/mail_world.h"

namespace proxymux::integration {
namespace {

using harness::ChildProcess;
using harness::CommandOptions;
using harness::CommandResult;
using harness::Eventually;
using harness::HttpAnswer;
using harness::HttpGet;
using harness::PostfixInstance;
using harness::ProxymapClient;
using harness::RunCommand;
using harness::seconds;
using harness::Service;

class Standalone : public testing::Test {
 protected:
  Standalone()
      : directory_(world_.NewDirectory()),
        postfix_(directory_, world_.Options(Service::kInPlace)),
        socket_(directory_ + "/sock"),
        admin_(postfix_.data_directory() + "/admin"),
        binary_(postfix_.daemon_directory() + "/proxymux") {
    WriteSettings("");
  }

  void WriteSettings(const std::string& more) {
    postfix_.WriteConfig("proxymux.yaml", "admin: {listen: " + admin_ + "}\n" + more, 0644);
  }

  void Serve(CommandOptions options = {},
             const std::vector<ChildProcess::Descriptor>& descriptors = {}) {
    std::vector<std::string> command = {binary_, "serve", "--config-directory",
                                        postfix_.config_directory()};
    if (descriptors.empty()) command.insert(command.end(), {"--listen", socket_});
    options.directory = directory_;
    child_ = std::make_unique<ChildProcess>(command, log_, options, descriptors);
    ASSERT_TRUE(Eventually(
        [&] { return HttpGet(admin_, "/healthz").status == 200 || !child_->Running(); }));
    ASSERT_TRUE(child_->Running()) << harness::ReadFile(log_);
  }

  void ExpectGoodLookup() {
    ProxymapClient client(socket_);
    const auto answer = client.Lookup(postfix_.Table("pgsql-aliases.cf"), harness::AliasOf(4));
    EXPECT_TRUE(answer.IsValue(harness::AddressOf(4)))
        << Describe(answer) << harness::ReadFile(log_);
  }

  bool WaitForLog(const std::string& text) {
    return Eventually([&] { return harness::ReadFile(log_).find(text) != std::string::npos; },
                      seconds(5));
  }

  CommandResult Command(std::vector<std::string> words) {
    words.insert(words.begin(), binary_);
    return RunCommand(words);
  }

  MailWorld& world_ = MailWorld::Instance();
  const std::string directory_;
  PostfixInstance postfix_;  // configured, never started
  const std::string socket_;
  const std::string admin_;  // where the mail owner may make it
  const std::string binary_;
  const std::string log_ = directory_ + "/output";
  std::unique_ptr<ChildProcess> child_;
};

TEST_F(Standalone, ServesOnAPathOfItsOwnAndEndsOnSigterm) {
  Serve();
  ExpectGoodLookup();
  child_->Signal(SIGTERM);
  EXPECT_EQ(child_->Wait(seconds(10)), 0) << harness::ReadFile(log_);
  EXPECT_TRUE(Eventually([&] { return harness::ProcessesIn(directory_).empty(); }));
  EXPECT_FALSE(std::filesystem::exists(admin_));
}

TEST_F(Standalone, OtherMapTypesAreAnsweredThoughNoStockServiceRuns) {
  Serve();
  {
    ProxymapClient client(socket_);
    EXPECT_TRUE(client.Lookup("unix:passwd.byname", "root").Is(protocol::Status::kOk))
        << harness::ReadFile(log_);
  }
  child_->Signal(SIGTERM);
  EXPECT_EQ(child_->Wait(seconds(10)), 0) << harness::ReadFile(log_);
  EXPECT_TRUE(Eventually([&] { return harness::ProcessesIn(directory_).empty(); }));
}

TEST_F(Standalone, SigtermUnderLoadLosesNoRequest) {
  Serve();
  harness::LoadOptions options = harness::LoadOn(postfix_);
  options.socket = socket_;
  harness::LoadClients load(options);
  ASSERT_TRUE(load.WaitForAnswers(1000));
  child_->Signal(SIGTERM);
  EXPECT_EQ(child_->Wait(seconds(10)), 0);
  const auto report = load.Finish();
  EXPECT_EQ(report.Failed(), 0u) << report.Text();
}

TEST_F(Standalone, TakesTheSocketsOfSocketActivation) {
  const int listener = harness::ListenUnix(socket_);
  CommandOptions options;
  options.environment["LISTEN_FDS"] = "1";
  options.environment["LISTEN_PID"] = "self";
  Serve(options, {{listener, 3}});
  ExpectGoodLookup();
  // The next process takes the same socket: no client is ever refused.
  child_.reset();
  Serve(options, {{listener, 3}});
  ExpectGoodLookup();
  ::close(listener);
}

// As under master(8): what root has in its environment is not meant for mail_owner.
TEST_F(Standalone, TheCallersEnvironmentIsNotLibpqs) {
  CommandOptions options;
  options.environment["HOME"] = "/root";
  options.environment["PGSSLMODE"] = "require";  // the server has no TLS
  options.environment["PGOPTIONS"] = "-c search_path=nowhere";
  options.environment["PGSERVICE"] = "nosuch";
  Serve(options);
  ExpectGoodLookup();
}

TEST_F(Standalone, SecondProcessOnTheSamePathIsRefused) {
  Serve();
  const CommandResult second =
      Command({"serve", "--config-directory", postfix_.config_directory(), "--listen", socket_});
  EXPECT_NE(second.status, 0);
  EXPECT_NE(second.err.find(socket_), std::string::npos) << second.err;
  ExpectGoodLookup();
}

TEST_F(Standalone, SighupWithABadFileChangesNothingAndWithAGoodOneEverything) {
  WriteSettings("max_request: 64KiB\n");
  Serve();
  ProxymapClient client(socket_);
  const std::string table = postfix_.Table("pgsql-aliases.cf");
  const std::string long_key(5000, 'k');
  EXPECT_TRUE(client.Lookup(table, long_key).Is(protocol::Status::kNoKey));

  WriteSettings("max_request: 4KiB\nmax_reqest: 1KiB\npool: {connections: many}\n");
  child_->Signal(SIGHUP);
  // Both errors, with their places, and the nearest name.
  EXPECT_TRUE(WaitForLog("proxymux.yaml:3:")) << harness::ReadFile(log_);
  EXPECT_TRUE(WaitForLog("proxymux.yaml:4:")) << harness::ReadFile(log_);
  EXPECT_TRUE(WaitForLog("max_request")) << harness::ReadFile(log_);
  EXPECT_TRUE(client.Lookup(table, long_key).Is(protocol::Status::kNoKey));
  EXPECT_EQ(HttpGet(admin_, "/healthz").status, 200);
  EXPECT_EQ(
      harness::MetricValue(HttpGet(admin_, "/metrics").body, "proxymux_reload_failures_total"), 1);

  WriteSettings("max_request: 4KiB\n");
  child_->Signal(SIGHUP);
  EXPECT_TRUE(Eventually([&] {
    ProxymapClient fresh(socket_);
    return fresh.Lookup(table, long_key).kind != harness::Answer::Kind::kReply;
  }));
  EXPECT_EQ(HttpGet(admin_, "/healthz").body.find("degraded"), std::string::npos);
  ExpectGoodLookup();
}

TEST_F(Standalone, SighupWithoutTheFileThatWasThereChangesNothing) {
  Serve();
  std::filesystem::remove(postfix_.config_directory() + "/proxymux.yaml");
  child_->Signal(SIGHUP);
  EXPECT_TRUE(WaitForLog("proxymux.yaml is gone; the settings stay as they were"));
  EXPECT_EQ(
      harness::MetricValue(HttpGet(admin_, "/metrics").body, "proxymux_reload_failures_total"), 1);
  ExpectGoodLookup();
}

// Under master an end by a signal would throttle the service for a minute.
TEST_F(Standalone, SighupDuringTheStartIsHeldBack) {
  child_ = std::make_unique<ChildProcess>(
      std::vector<std::string>{binary_, "serve", "--config-directory", postfix_.config_directory(),
                               "--listen", socket_},
      log_, CommandOptions{});
  // The socket is made before main.cf is read by way of postconf, which takes far longer than this.
  ASSERT_TRUE(Eventually([&] { return std::filesystem::exists(socket_); }));
  child_->Signal(SIGHUP);
  EXPECT_TRUE(WaitForLog("SIGHUP: settings and tables were read again")) << harness::ReadFile(log_);
  EXPECT_TRUE(child_->Running());
  ExpectGoodLookup();
}

TEST_F(Standalone, HalfARequestDoesNotHoldUpTheEnd) {
  Serve();
  harness::Socket client = harness::Socket::ConnectUnix(socket_);
  ASSERT_TRUE(client.Send("request"));
  EXPECT_TRUE(Eventually([&] {
    return harness::MetricValue(HttpGet(admin_, "/metrics").body,
                                "proxymux_client_read_bytes_total") >= 7;
  }));
  const auto began = std::chrono::steady_clock::now();
  child_->Signal(SIGTERM);
  EXPECT_EQ(child_->Wait(seconds(10)), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - began, seconds(4)) << "drain_timeout is 5 s";
}

TEST_F(Standalone, StartWithABadFileServesAndSaysDegraded) {
  WriteSettings("drain_timeuot: 3s\ntables: {\"pgsql:" + postfix_.config_directory() +
                "/pgsql-relay.cf\": {query_timeout: soon}}\n");
  Serve();
  ExpectGoodLookup();
  ProxymapClient client(socket_);
  EXPECT_TRUE(client.Lookup(postfix_.Table("pgsql-relay.cf"), "relay1@relay.example.org")
                  .Is(protocol::Status::kConfig));
  EXPECT_NE(HttpGet(admin_, "/healthz").body.find("degraded"), std::string::npos);
  EXPECT_TRUE(WaitForLog("drain_timeout")) << harness::ReadFile(log_);
}

TEST_F(Standalone, AdminSocketTellsHealthMetricsAndStatus) {
  Serve();
  ProxymapClient client(socket_);
  const std::string table = postfix_.Table("pgsql-aliases.cf");
  for (int user = 1; user <= 10; ++user) client.Lookup(table, harness::AliasOf(user));
  client.Lookup(table, "nobody@example.com");
  EXPECT_EQ(HttpGet(admin_, "/healthz").body, "ok\n");

  const HttpAnswer metrics = HttpGet(admin_, "/metrics");
  EXPECT_EQ(metrics.status, 200);
  EXPECT_NE(metrics.head.find("text/plain; version=0.0.4"), std::string::npos) << metrics.head;
  EXPECT_EQ(harness::MetricValue(metrics.body, "proxymux_requests_total{request=\"lookup\"}"), 11)
      << metrics.body;

  const HttpAnswer status = HttpGet(admin_, "/status.json");
  EXPECT_EQ(status.status, 200);
  const auto json = nlohmann::json::parse(status.body);
  EXPECT_EQ(json["pid"], child_->pid());
  bool seen = false;
  for (const auto& row : json["tables"]) {
    if (row["name"] != table) continue;
    seen = true;
    EXPECT_EQ(row["lookups"], 11) << row;
    EXPECT_EQ(row["found"], 10) << row;
  }
  EXPECT_TRUE(seen) << status.body;
  ASSERT_EQ(json["pools"].size(), 1u) << status.body;
  EXPECT_EQ(json["pools"][0]["limit"], 4);
  EXPECT_EQ(HttpGet(admin_, "/nothing").status, 404);
}

TEST_F(Standalone, AdminListensOnAPortWhenToldTo) {
  const int port = harness::FreePort();
  postfix_.WriteConfig("proxymux.yaml",
                       "admin: {listen: \"127.0.0.1:" + std::to_string(port) + "\"}\n", 0644);
  ChildProcess child(
      {binary_, "serve", "--config-directory", postfix_.config_directory(), "--listen", socket_},
      log_);
  EXPECT_TRUE(Eventually([&] { return HttpGet(port, "/healthz").body == "ok\n"; }))
      << harness::ReadFile(log_);
}

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
  EXPECT_EQ(result.status, 0) << result.out << result.err;
  EXPECT_NE(result.out.find("pgsql-relay.cf: postfix cannot read it"), std::string::npos)
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
    EXPECT_EQ(result.status, 0) << result.out << result.err;
    const bool kept = std::string(settings).find("max_entries") == std::string::npos;
    EXPECT_EQ(result.out.find("pgsql-relay.cf: cache and stale_if_error have no effect: its query "
                              "may write") != std::string::npos,
              kept)
        << result.out;
    EXPECT_EQ(result.out.find("pgsql-aliases.cf: cache"), std::string::npos) << result.out;
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
  EXPECT_EQ(result.status, 1) << result.out << result.err;
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
  EXPECT_EQ(Command({"--version"}).status, 0);
  const CommandResult unknown = Command({"frobnicate"});
  EXPECT_EQ(unknown.status, 2);
  EXPECT_NE(unknown.err.find("there is no command frobnicate"), std::string::npos) << unknown.err;
  EXPECT_EQ(Command({"serve", "--frobnicate"}).status, 2);
}

}  // namespace
}  // namespace proxymux::integration
