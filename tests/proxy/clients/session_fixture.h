// One client session over a socketpair, on the real loop, which turns only when the test says so.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/clients/uv_client_session.h"
#include "proxy/uv/uv_event_loop.h"
#include "tests/proxy/requests/router_world.h"

namespace proxymux::proxy {

inline constexpr char kTable[] = "pgsql:/a.cf";
inline constexpr std::size_t kMaxRequest = 4096;
inline const std::string kGreeting = List({{"protocol", "proxymap_protocol"}});

inline std::string Lookup(const std::string& key, const std::string& table = kTable) {
  return List({{"request", "lookup"}, {"table", table}, {"flags", "0"}, {"key", key}});
}
inline std::string Open(std::uint32_t flags) {
  return List({{"request", "open"}, {"table", kTable}, {"flags", std::to_string(flags)}});
}
inline std::string OpenReply(std::uint32_t flags) {
  return "status=0 flags=" + std::to_string(flags | 16);
}

class SessionFixture : public ::testing::Test {
 protected:
  SessionFixture() : world_(&loop_, {kTable, "unix:passwd.byname"}) {
    std::signal(SIGPIPE, SIG_IGN);  // as in the daemon
    world_.Add(kTable, "query = SELECT a FROM t WHERE b = '%s'\n");
    int pair[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    server_ = pair[0];
    client_ = pair[1];
  }
  ~SessionFixture() override {
    if (session_ != nullptr && !ended_) session_->End();
    session_.reset();
    CloseClient();
    Turns();
  }

  void Start(bool greeting = false) {
    session_ = std::make_unique<UvClientSession>(
        loop_.uv(), server_, UvClientSession::Limits{kMaxRequest, greeting}, &world_.router,
        &world_.log, &traffic_, [this](UvClientSession* session) {
          EXPECT_EQ(session, session_.get());
          EXPECT_FALSE(ended_) << "ended twice";
          ended_ = true;
        });
    session_->Start();
    Turns();
  }
  // Whatever is ready is dealt with, and nothing is waited for.
  void Turns() {
    for (int i = 0; i < 6; ++i) uv_run(loop_.uv(), UV_RUN_NOWAIT);
  }
  void Settle() {
    Turns();
    world_.factory.Settle();
    Turns();
  }
  void Answer(const std::string& value) {
    Settle();
    world_.connection().Answer(value);
    Turns();
  }

  // How much of it the socket took.
  std::size_t Write(std::string_view bytes) {
    const ssize_t sent = write(client_, bytes.data(), bytes.size());
    return sent < 0 ? 0 : static_cast<std::size_t>(sent);
  }
  void Send(const std::string& bytes) {
    ASSERT_EQ(Write(bytes), bytes.size());
    Turns();
  }
  // Everything that is there now.
  std::string ReadBytes() {
    std::string bytes;
    char buffer[65536];
    for (ssize_t size; (size = read(client_, buffer, sizeof(buffer))) >= 0;) {
      if (size == 0) {
        eof_ = true;
        break;
      }
      bytes.append(buffer, static_cast<std::size_t>(size));
    }
    return bytes;
  }
  std::string Read() { return Shown(ReadBytes()); }
  bool AtEof() {
    EXPECT_EQ(ReadBytes(), "");
    return eof_;
  }
  void CloseClient() {
    if (client_ >= 0) close(client_);
    client_ = -1;
  }

  UvEventLoop loop_;
  RouterWorld world_;
  SessionTraffic traffic_;
  std::unique_ptr<UvClientSession> session_;
  int server_ = -1;
  int client_ = -1;
  bool ended_ = false;
  bool eof_ = false;
};

}  // namespace proxymux::proxy
