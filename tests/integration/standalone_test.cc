// The service without master(8): `proxymux serve`, socket activation, SIGHUP, and what its admin
// socket says.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/harness/admin_client.h"
#include "tests/harness/load_clients.h"
#include "tests/harness/load_on.h"
#include "tests/harness/proxymap_client.h"
#include "tests/harness/socket.h"
#include "tests/integration/standalone_world.h"

namespace proxymux::integration {
namespace {

using harness::ChildProcess;
using harness::CommandOptions;
using harness::CommandResult;
using harness::Eventually;
using harness::HttpAnswer;
using harness::HttpGet;
using harness::ProxymapClient;
using harness::seconds;

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
  EXPECT_EQ(harness::MetricOf(admin_, "proxymux_reload_failures_total"), 1);

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
  EXPECT_EQ(harness::MetricOf(admin_, "proxymux_reload_failures_total"), 1);
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
  EXPECT_TRUE(Eventually(
      [&] { return harness::MetricOf(admin_, "proxymux_client_read_bytes_total") >= 7; }));
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

}  // namespace
}  // namespace proxymux::integration
