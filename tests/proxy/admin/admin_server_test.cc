// Real HTTP over real sockets: the server, its socket's name, and the client.
#include "proxy/admin/admin_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "proxy/admin/admin_client.h"
#include "proxy/admin/admin_socket.h"
#include "proxy/log/log.h"
#include "tests/harness/socket.h"
#include "tests/proxy/admin/admin_fixture.h"
#include "tests/proxy/status/sample_status.h"

namespace proxymux::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
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
  const AdminReply status = Get("/status.json");
  EXPECT_EQ(status.status, 200);
  EXPECT_EQ(nlohmann::json::parse(status.body)["service"], "proxymap");
  EXPECT_EQ(Get("/").status, 200);
  EXPECT_EQ(Get("/etc/passwd").status, 404);
}

TEST_F(AdminTest, TheSocketIsForOwnerAndGroupWhateverTheUmask) {
  const mode_t before = umask(0077);
  const auto server = Server();
  umask(before);
  struct stat status {};
  ASSERT_EQ(lstat(path_.c_str(), &status), 0);
  EXPECT_TRUE(S_ISSOCK(status.st_mode));
  EXPECT_EQ(status.st_mode & 0777, 0660u);
  EXPECT_EQ(std::distance(fs::directory_iterator(directory_), fs::directory_iterator()), 1);
}

TEST_F(AdminTest, HealthTellsReasonsAndDraining) {
  std::atomic<bool> draining{false};
  AdminServer server(
      UnixAt(path_), "proxymap",
      [&draining](milliseconds) {
        ServiceStatus status = SampleStatus();
        status.degraded = {"table a is broken", "no server of pool b answers"};
        if (draining) status.state = ServiceState::kDraining;
        return std::optional(status);
      },
      logger_.get());
  server.Start();
  EXPECT_EQ(Get("/healthz").status, 200);
  EXPECT_EQ(Get("/healthz").body, "degraded\ntable a is broken\nno server of pool b answers\n");
  draining = true;
  EXPECT_EQ(Get("/healthz").status, 503);
  EXPECT_EQ(Get("/healthz").body, "draining\n");
  EXPECT_EQ(Get("/metrics").status, 200);
}

TEST_F(AdminTest, ALoopThatDoesNotAnswerGives503) {
  milliseconds asked{0};
  AdminServer server(
      UnixAt(path_), "proxymap",
      [&asked](milliseconds limit) -> std::optional<ServiceStatus> {
        asked = limit;
        return std::nullopt;
      },
      logger_.get());
  server.Start();
  for (const char* path : {"/healthz", "/metrics", "/status.json"}) {
    EXPECT_EQ(Get(path).status, 503) << path;
  }
  server.Stop();
  EXPECT_EQ(asked, AdminServer::kSnapshotLimit);
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

TEST_F(AdminTest, StopTakesTheNameAwayAndCanBeCalledTwice) {
  const auto server = Server();
  EXPECT_TRUE(fs::exists(path_));
  server->Stop();
  server->Stop();
  EXPECT_FALSE(fs::exists(path_));
  EXPECT_FALSE(server->listening());
  EXPECT_THAT(Error(UnixAt(path_)), HasSubstr("there is no socket " + path_));
}

TEST_F(AdminTest, StopWaitsForARunningSnapshotOnly) {
  std::mutex mutex;
  std::condition_variable changed;
  bool asked = false;
  bool give_up = false;
  AdminServer server(
      UnixAt(path_), "proxymap",
      [&](milliseconds) -> std::optional<ServiceStatus> {
        std::unique_lock lock(mutex);
        asked = true;
        changed.notify_all();
        changed.wait(lock, [&] { return give_up; });
        return std::nullopt;
      },
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

TEST_F(AdminTest, ASocketLeftByADeadProcessIsReplaced) {
  {
    auto left = AdminSocket::Listen(UnixAt(path_), "proxymap");
    ASSERT_TRUE(std::holds_alternative<AdminSocket>(left));
    fs::rename(path_, path_ + ".kept");
  }
  fs::rename(path_ + ".kept", path_);
  EXPECT_THAT(Error(UnixAt(path_)), HasSubstr("nobody listens on " + path_));
  const auto server = Server();
  EXPECT_TRUE(server->listening()) << server->Problem();
  EXPECT_EQ(Get("/healthz").status, 200);
}

TEST_F(AdminTest, ASuccessorTakesTheNameOverAndThePredecessorLeavesItAlone) {
  auto old_process = Server();
  auto new_process = std::make_unique<AdminServer>(
      UnixAt(path_), "proxymap",
      [](milliseconds) {
        ServiceStatus status = SampleStatus();
        status.process.pid = 4712;
        return std::optional(status);
      },
      logger_.get());
  new_process->Start();
  ASSERT_TRUE(new_process->listening()) << new_process->Problem();
  EXPECT_EQ(nlohmann::json::parse(Get("/status.json").body)["pid"], 4712);
  old_process->Stop();
  EXPECT_EQ(nlohmann::json::parse(Get("/status.json").body)["pid"], 4712);
  new_process->Stop();
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(AdminTest, AnotherServiceOrProgramKeepsItsName) {
  auto first = Server("proxymap");
  auto second = Server("proxymux");
  EXPECT_FALSE(second->listening());
  EXPECT_THAT(second->Problem(), HasSubstr("the service proxymap listens there"));
  EXPECT_EQ(Get("/healthz").service, "proxymap");
  second->Stop();
  EXPECT_EQ(Get("/healthz").service, "proxymap");
  first->Stop();

  // A listener that accepts and says nothing, as a database's socket would.
  const int silent = harness::ListenUnix(path_);
  auto third = Server();
  EXPECT_FALSE(third->listening());
  EXPECT_THAT(third->Problem(), HasSubstr("another process listens there"));
  third->Stop();
  EXPECT_TRUE(fs::exists(path_));
  close(silent);
}

TEST_F(AdminTest, AFileThatIsNoSocketIsNotTouched) {
  std::ofstream(path_) << "precious";
  const auto server = Server();
  EXPECT_FALSE(server->listening());
  EXPECT_THAT(server->Problem(), HasSubstr("no socket"));
  std::string content;
  std::ifstream(path_) >> content;
  EXPECT_EQ(content, "precious");
}

TEST_F(AdminTest, ItListensAsSoonAsItCan) {
  const std::string later = directory_ + "/later";
  AdminServer server(
      UnixAt(later + "/a.sock"), "proxymap",
      [](milliseconds) { return std::optional(SampleStatus()); }, logger_.get());
  server.Start();
  EXPECT_FALSE(server.listening());
  EXPECT_THAT(server.Problem(), HasSubstr("bind: No such file or directory"));
  fs::create_directory(later);
  const auto limit = steady_clock::now() + std::chrono::seconds(10);
  while (!server.listening() && steady_clock::now() < limit) std::this_thread::yield();
  ASSERT_TRUE(server.listening());
  EXPECT_EQ(server.Problem(), "");
  EXPECT_EQ(Get(UnixAt(later + "/a.sock"), "/healthz").status, 200);
}

TEST_F(AdminTest, TcpOverBothFamiliesAndNoSharedPort) {
  for (const char* host : {"127.0.0.1", "::1"}) {
    const AdminAddress any{AdminAddress::Kind::kTcp, "", host, 0};
    const auto snapshot = [](milliseconds) { return std::optional(SampleStatus()); };
    AdminServer server(any, "proxymap", snapshot, logger_.get());
    server.Start();
    if (!server.listening() && std::string(host) == "::1") continue;  // a machine without IPv6
    ASSERT_TRUE(server.listening()) << server.Problem();
    EXPECT_NE(server.address().port, 0);
    EXPECT_EQ(Get(server.address(), "/healthz").body, "ok\n");
    AdminServer other(server.address(), "other", snapshot, logger_.get());
    other.Start();
    EXPECT_FALSE(other.listening());
    EXPECT_THAT(other.Problem(), HasSubstr("Address already in use"));
    const AdminAddress address = server.address();
    server.Stop();
    EXPECT_THAT(Error(address), HasSubstr("cannot connect to " + address.Text()));
  }
}

TEST_F(AdminTest, OffIsNoListenerAndNoProblem) {
  AdminServer server(
      AdminAddress{}, "proxymap", [](milliseconds) { return std::optional(SampleStatus()); },
      logger_.get());
  server.Start();
  EXPECT_FALSE(server.listening());
  EXPECT_EQ(server.Problem(), "");
  server.Stop();
  EXPECT_THAT(Error(AdminAddress{}), HasSubstr("switched off"));
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
