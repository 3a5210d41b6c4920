// Where the admin server listens: the name of its socket, when that is taken and given up, and TCP
// ports.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <variant>

#include "proxy/admin/admin_address.h"
#include "proxy/admin/admin_server.h"
#include "proxy/admin/admin_socket.h"
#include "proxy/status/status.h"
#include "tests/harness/socket.h"
#include "tests/proxy/admin/admin_fixture.h"
#include "tests/proxy/status/sample_status.h"

namespace proxymux::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using ::testing::HasSubstr;
using AdminListenerTest = AdminTest;
namespace fs = std::filesystem;

TEST_F(AdminListenerTest, TheSocketIsForOwnerAndGroupWhateverTheUmask) {
  const mode_t before = umask(0077);
  const auto server = Server();
  umask(before);
  struct stat status {};
  ASSERT_EQ(lstat(path_.c_str(), &status), 0);
  EXPECT_TRUE(S_ISSOCK(status.st_mode));
  EXPECT_EQ(status.st_mode & 0777, 0660u);
  EXPECT_EQ(std::distance(fs::directory_iterator(directory_), fs::directory_iterator()), 1);
}

TEST_F(AdminListenerTest, StopTakesTheNameAwayAndCanBeCalledTwice) {
  const auto server = Server();
  EXPECT_TRUE(fs::exists(path_));
  server->Stop();
  server->Stop();
  EXPECT_FALSE(fs::exists(path_));
  EXPECT_FALSE(server->listening());
  EXPECT_THAT(Error(UnixAt(path_)), HasSubstr("there is no socket " + path_));
}

TEST_F(AdminListenerTest, ASocketLeftByADeadProcessIsReplaced) {
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

TEST_F(AdminListenerTest, ASuccessorTakesTheNameOverAndThePredecessorLeavesItAlone) {
  auto old_process = Server();
  auto new_process =
      std::make_unique<AdminServer>(UnixAt(path_), "proxymap", Only([](milliseconds) {
                                      ServiceStatus status = SampleStatus();
                                      status.process.pid = 4712;
                                      return std::optional(status);
                                    }),
                                    logger_.get());
  new_process->Start();
  ASSERT_TRUE(new_process->listening()) << new_process->Problem();
  EXPECT_EQ(nlohmann::json::parse(Get("/status.json").body)["pid"], 4712);
  old_process->Stop();
  EXPECT_EQ(nlohmann::json::parse(Get("/status.json").body)["pid"], 4712);
  new_process->Stop();
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(AdminListenerTest, AnotherServiceOrProgramKeepsItsName) {
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

TEST_F(AdminListenerTest, AFileThatIsNoSocketIsNotTouched) {
  std::ofstream(path_) << "precious";
  const auto server = Server();
  EXPECT_FALSE(server->listening());
  EXPECT_THAT(server->Problem(), HasSubstr("no socket"));
  std::string content;
  std::ifstream(path_) >> content;
  EXPECT_EQ(content, "precious");
}

TEST_F(AdminListenerTest, ItListensAsSoonAsItCan) {
  const std::string later = directory_ + "/later";
  AdminServer server(UnixAt(later + "/a.sock"), "proxymap",
                     Only([](milliseconds) { return std::optional(SampleStatus()); }),
                     logger_.get());
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

TEST_F(AdminListenerTest, TcpOverBothFamiliesAndNoSharedPort) {
  for (const char* host : {"127.0.0.1", "::1"}) {
    const AdminAddress any{AdminAddress::Kind::kTcp, "", host, 0};
    const auto snapshot = [](milliseconds) { return std::optional(SampleStatus()); };
    AdminServer server(any, "proxymap", Only(snapshot), logger_.get());
    server.Start();
    if (!server.listening() && std::string(host) == "::1") continue;  // a machine without IPv6
    ASSERT_TRUE(server.listening()) << server.Problem();
    EXPECT_NE(server.address().port, 0);
    EXPECT_EQ(Get(server.address(), "/healthz").body, "ok\n");
    AdminServer other(server.address(), "other", Only(snapshot), logger_.get());
    other.Start();
    EXPECT_FALSE(other.listening());
    EXPECT_THAT(other.Problem(), HasSubstr("Address already in use"));
    const AdminAddress address = server.address();
    server.Stop();
    EXPECT_THAT(Error(address), HasSubstr("cannot connect to " + address.Text()));
  }
}

TEST_F(AdminListenerTest, OffIsNoListenerAndNoProblem) {
  AdminServer server(AdminAddress{}, "proxymap",
                     Only([](milliseconds) { return std::optional(SampleStatus()); }),
                     logger_.get());
  server.Start();
  EXPECT_FALSE(server.listening());
  EXPECT_EQ(server.Problem(), "");
  server.Stop();
  EXPECT_THAT(Error(AdminAddress{}), HasSubstr("switched off"));
}

}  // namespace
}  // namespace proxymux::proxy
