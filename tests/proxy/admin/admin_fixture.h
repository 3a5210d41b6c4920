// A real admin server on a socket in a directory of its own, and clients for it.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "proxy/admin/admin_address.h"
#include "proxy/admin/admin_client.h"
#include "proxy/admin/admin_server.h"
#include "proxy/admin/control.h"
#include "proxy/log/log.h"
#include "tests/proxy/status/sample_status.h"

namespace proxymux::proxy {

inline AdminAddress UnixAt(const std::string& path) {
  return {AdminAddress::Kind::kUnix, path, "", 0};
}

// A client that does as it likes with its bytes.
class RawClient {
 public:
  explicit RawClient(const AdminAddress& address) {
    const AdminSocketAddress name = NameOf(address);
    fd_ = socket(name.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    connected_ = connect(fd_, name.get(), name.size) == 0;
  }
  explicit RawClient(const std::string& path) : RawClient(UnixAt(path)) {}
  ~RawClient() { close(fd_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool connected() const { return connected_; }
  bool Send(const std::string& bytes) {
    return send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  // All that comes until the server closes.
  std::string ReadAll() {
    std::string all;
    char buffer[4096];
    for (ssize_t got; (got = recv(fd_, buffer, sizeof(buffer), 0)) > 0;) all.append(buffer, got);
    return all;
  }

 private:
  int fd_ = -1;
  bool connected_ = false;
};

class AdminTest : public ::testing::Test {
 protected:
  AdminTest() {
    char name[] = "/tmp/proxymux-adm-XXXXXX";
    directory_ = mkdtemp(name);
    path_ = directory_ + "/proxymux-proxymap.sock";
    LogTarget target;
    target.syslog_socket = directory_ + "/no-log";
    logger_ = std::make_unique<Logger>(target);
  }
  ~AdminTest() override { std::filesystem::remove_all(directory_); }

  // Of a service that is only looked at.
  static AdminServer::Functions Only(AdminServer::SnapshotFunction snapshot) {
    return {std::move(snapshot), [](const ControlRequest& request, std::chrono::milliseconds) {
              ADD_FAILURE() << "nobody may command: " << request.command;
              return std::optional<ControlReply>();
            }};
  }

  std::unique_ptr<AdminServer> Server(const std::string& service = "proxymap") {
    auto server = std::make_unique<AdminServer>(
        UnixAt(path_), service,
        Only([](std::chrono::milliseconds) { return std::optional(SampleStatus()); }),
        logger_.get());
    server->Start();
    return server;
  }

  AdminReply Get(const std::string& path) { return Get(UnixAt(path_), path); }
  AdminReply Get(const AdminAddress& address, const std::string& path) {
    auto result = AdminGet(address, path);
    if (const auto* error = std::get_if<AdminClientError>(&result)) {
      ADD_FAILURE() << error->text;
      return {};
    }
    return std::get<AdminReply>(result);
  }
  std::string Error(const AdminAddress& address) {
    auto result = AdminGet(address, "/healthz", std::chrono::milliseconds(500));
    const auto* error = std::get_if<AdminClientError>(&result);
    return error == nullptr ? "answered" : error->text;
  }

  std::string directory_;
  std::string path_;
  std::unique_ptr<Logger> logger_;
};

}  // namespace proxymux::proxy
