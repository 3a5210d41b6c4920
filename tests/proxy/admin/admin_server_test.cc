// Real HTTP over real sockets: what the server answers, and when it stops.
#include "proxy/admin/admin_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "proxy/admin/admin_client.h"
#include "proxy/status/status.h"
#include "tests/proxy/admin/admin_fixture.h"
#include "tests/proxy/status/sample_status.h"

namespace proxymux::proxy {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

TEST_F(AdminTest, AnswersOverAUnixSocket) {
  const auto server = Server();
  ASSERT_TRUE(server->listening()) << server->Problem();
  const AdminReply health = Get("/healthz");
  EXPECT_EQ(health.status, 200);
  EXPECT_EQ(health.body, "ok\n");
  EXPECT_EQ(health.service, "proxymap");
  const AdminReply metrics = Get("/metrics");
  EXPECT_EQ(metrics.status, 200);
  EXPECT_THAT(metrics.body, HasSubstr("proxymux_requests_total{request=\"lookup\"} 90210"));
  EXPECT_EQ(Get("/healthz?strict").status, 200);
  const AdminReply status = Get("/status.json");
  EXPECT_EQ(status.status, 200);
  EXPECT_EQ(nlohmann::json::parse(status.body)["service"], "proxymap");
  EXPECT_EQ(Get("/").status, 200);
  EXPECT_EQ(Get("/etc/passwd").status, 404);
}

TEST_F(AdminTest, HealthTellsReasonsAndDraining) {
  std::atomic<bool> draining{false};
  AdminServer server(UnixAt(path_), "proxymap", Only([&draining](milliseconds) {
                       ServiceStatus status = SampleStatus();
                       status.degraded = {"table a is broken", "no server of pool b answers"};
                       if (draining) status.state = ServiceState::kDraining;
                       return std::optional(status);
                     }),
                     logger_.get());
  server.Start();
  EXPECT_EQ(Get("/healthz").status, 200);
  EXPECT_EQ(Get("/healthz").body, "degraded\ntable a is broken\nno server of pool b answers\n");
  EXPECT_EQ(Get("/healthz?strict").status, 503);
  EXPECT_EQ(Get("/healthz?strict=1").status, 503);
  EXPECT_EQ(Get("/healthz?strict").body, Get("/healthz").body);
  draining = true;
  EXPECT_EQ(Get("/healthz").status, 503);
  EXPECT_EQ(Get("/healthz").body, "draining\n");
  EXPECT_EQ(Get("/metrics").status, 200);
}

TEST_F(AdminTest, ALoopThatDoesNotAnswerGives503) {
  milliseconds asked{0};
  AdminServer server(UnixAt(path_), "proxymap",
                     Only([&asked](milliseconds limit) -> std::optional<ServiceStatus> {
                       asked = limit;
                       return std::nullopt;
                     }),
                     logger_.get());
  server.Start();
  for (const char* path : {"/healthz", "/metrics", "/status.json"}) {
    EXPECT_EQ(Get(path).status, 503) << path;
  }
  server.Stop();
  EXPECT_EQ(asked, AdminServer::kLoopLimit);
}

TEST_F(AdminTest, OnlyGetAndHead) {
  const auto server = Server();
  RawClient post(path_);
  ASSERT_TRUE(post.Send("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"));
  const std::string reply = post.ReadAll();
  EXPECT_THAT(reply, HasSubstr("HTTP/1.1 405"));
  EXPECT_THAT(reply, HasSubstr("Allow: GET, HEAD"));
  RawClient head(path_);
  ASSERT_TRUE(head.Send("HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n"));
  const std::string headers = head.ReadAll();
  EXPECT_THAT(headers, HasSubstr("HTTP/1.1 200"));
  EXPECT_TRUE(headers.ends_with("\r\n\r\n")) << headers;
}

TEST_F(AdminTest, NonsenseAndEndlessRequestsDoNotStopIt) {
  const auto server = Server();
  {
    RawClient nonsense(path_);
    nonsense.Send(std::string("\0\xff\r\n\r\n", 6));
    nonsense.ReadAll();
    RawClient endless(path_);
    endless.Send("GET /metrics HTTP/1.1\r\n");
    const std::string header = "X-A: " + std::string(1000, 'a') + "\r\n";
    bool taken = true;
    for (int i = 0; i < 1000 && taken; ++i) taken = endless.Send(header);
    EXPECT_FALSE(taken);  // a megabyte of headers is not read
  }
  EXPECT_EQ(Get("/healthz").status, 200);
}

TEST_F(AdminTest, StopWaitsForNoSilentClient) {
  const auto server = Server();
  RawClient silent(path_);
  ASSERT_TRUE(silent.connected());
  RawClient half(path_);
  half.Send("GET /healthz HT");
  EXPECT_EQ(Get("/healthz").status, 200);
  server->Stop();
  EXPECT_EQ(silent.ReadAll(), "");
  EXPECT_EQ(half.ReadAll(), "");
}

TEST_F(AdminTest, ASilentClientIsEnded) {
  const auto server = Server();
  RawClient half(path_);
  half.Send("GET /healthz HT");
  EXPECT_EQ(half.ReadAll(), "");
}

TEST_F(AdminTest, StopWaitsForARunningSnapshotOnly) {
  std::mutex mutex;
  std::condition_variable changed;
  bool asked = false;
  bool give_up = false;
  AdminServer server(UnixAt(path_), "proxymap",
                     Only([&](milliseconds) -> std::optional<ServiceStatus> {
                       std::unique_lock lock(mutex);
                       asked = true;
                       changed.notify_all();
                       changed.wait(lock, [&] { return give_up; });
                       return std::nullopt;
                     }),
                     logger_.get());
  server.Start();
  RawClient client(path_);
  client.Send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return asked; });
    give_up = true;
  }
  changed.notify_all();
  server.Stop();
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(AdminTest, ManyAtOnceAreAllAnswered) {
  const auto server = Server();
  std::atomic<int> answered{0};
  std::vector<std::thread> clients;
  for (int t = 0; t < 8; ++t) {
    clients.emplace_back([this, &answered] {
      for (int i = 0; i < 20; ++i) {
        const auto result = AdminGet(UnixAt(path_), "/metrics");
        if (const auto* reply = std::get_if<AdminReply>(&result)) answered += reply->status == 200;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(answered, 160);
}

}  // namespace
}  // namespace proxymux::proxy
