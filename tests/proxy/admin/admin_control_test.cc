// Commands over real sockets: from whom they are taken, and what comes of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "proxy/admin/admin_server.h"
#include "proxy/admin/control.h"
#include "tests/proxy/admin/admin_fixture.h"

namespace proxymux::proxy {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

// Anybody but root, who runs the tests.
constexpr uid_t kNobody = 65534;

class AdminControlTest : public AdminTest {
 protected:
  // Of a service that remembers the command, and says what it is told to say.
  std::unique_ptr<AdminServer> ControlledServer(const AdminAddress& address) {
    auto server = std::make_unique<AdminServer>(
        address, "proxymap",
        AdminServer::Functions{[](milliseconds) { return std::optional(SampleStatus()); },
                               [this](const ControlRequest& request, milliseconds limit) {
                                 EXPECT_EQ(limit, AdminServer::kLoopLimit);
                                 commanded_ = request;
                                 return reply_;
                               }},
        logger_.get());
    server->Start();
    EXPECT_TRUE(server->listening()) << server->Problem();
    return server;
  }
  std::unique_ptr<AdminServer> ControlledServer() { return ControlledServer(UnixAt(path_)); }

  AdminReply Command(const ControlRequest& request) {
    auto result = AdminPost(UnixAt(path_), request);
    if (const auto* error = std::get_if<AdminClientError>(&result)) {
      ADD_FAILURE() << error->text;
      return {};
    }
    return std::get<AdminReply>(result);
  }
  static std::string Ask(const AdminAddress& address, const std::string& bytes) {
    RawClient client(address);
    EXPECT_TRUE(client.connected());
    client.Send(bytes);
    return client.ReadAll();
  }

  std::optional<ControlRequest> commanded_;
  std::optional<ControlReply> reply_ = ControlReply{ControlOutcome::kDone, "done\n"};
};

TEST_F(AdminControlTest, ACommandArrivesAsItWasGivenWhateverItsBytes) {
  const auto server = ControlledServer();
  const ControlRequest request{"disable",
                               {{"host", "[::1]:5432 &=+%/?#"}, {"key", "\xff\xc3\n\x7f"}}};
  const AdminReply reply = Command(request);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "done\n");
  EXPECT_EQ(reply.service, "proxymap");
  ASSERT_TRUE(commanded_.has_value());
  EXPECT_EQ(commanded_->command, "disable");
  EXPECT_EQ(commanded_->arguments, request.arguments);
}

TEST_F(AdminControlTest, WhatCameOfItIsTheStatus) {
  const auto server = ControlledServer();
  for (const auto& [outcome, status] :
       {std::pair(ControlOutcome::kMalformed, 400), std::pair(ControlOutcome::kUnknown, 404),
        std::pair(ControlOutcome::kRefused, 409)}) {
    reply_ = ControlReply{outcome, "no\n"};
    EXPECT_EQ(Command({"reload", {}}).status, status);
  }
  reply_.reset();  // the loop does not answer
  EXPECT_EQ(Command({"reload", {}}).status, 503);
}

TEST_F(AdminControlTest, ACommandIsPostedAndNothingElseIs) {
  const auto server = ControlledServer();
  EXPECT_EQ(Get("/control/drain").status, 405);
  EXPECT_THAT(Ask(UnixAt(path_), "POST /status.json HTTP/1.0\r\nContent-Length: 0\r\n\r\n"),
              HasSubstr(" 405 "));
  EXPECT_THAT(Ask(UnixAt(path_), "PUT /control/drain HTTP/1.0\r\nContent-Length: 0\r\n\r\n"),
              HasSubstr(" 405 "));
  EXPECT_THAT(Ask(UnixAt(path_), "POST /control/a?x=1&x=2 HTTP/1.0\r\nContent-Length: 0\r\n\r\n"),
              HasSubstr(" 400 "));
  EXPECT_FALSE(commanded_.has_value());
}

TEST_F(AdminControlTest, ABodyIsNotRead) {
  const auto server = ControlledServer();
  Ask(UnixAt(path_), "POST /control/drain HTTP/1.0\r\nContent-Length: 1000000000\r\n\r\nx");
  EXPECT_EQ(Get("/healthz").status, 200);
}

// Where no page of a browser gets to, and nobody else of the machine.
TEST_F(AdminControlTest, NoCommandComesOverTcp) {
  const auto server = ControlledServer({AdminAddress::Kind::kTcp, "", "127.0.0.1", 0});
  for (const char* method : {"POST", "GET"}) {
    EXPECT_THAT(Ask(server->address(), std::string(method) +
                                           " /control/drain HTTP/1.1\r\nHost: localhost\r\n"
                                           "Content-Length: 0\r\n\r\n"),
                HasSubstr(" 405 "));
  }
  EXPECT_FALSE(commanded_.has_value());
}

// Who may look need not be one who may act: the socket is the group's.
TEST_F(AdminControlTest, OnlyRootAndTheServiceItselfMayCommand) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  const auto server = ControlledServer();
  ASSERT_EQ(chmod(directory_.c_str(), 0755), 0);
  ASSERT_EQ(chmod(path_.c_str(), 0666), 0);
  const pid_t child = fork();
  if (child == 0) {
    if (setgid(kNobody) != 0 || setuid(kNobody) != 0) _exit(2);
    const auto result = AdminPost(UnixAt(path_), {"drain", {}});
    const auto* reply = std::get_if<AdminReply>(&result);
    _exit(reply != nullptr && reply->status == 403 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_FALSE(commanded_.has_value());
}

}  // namespace
}  // namespace proxymux::proxy
