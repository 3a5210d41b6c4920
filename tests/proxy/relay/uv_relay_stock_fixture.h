// The relay with the real stock proxymap, in a queue directory of its own, as user postfix. Needs
// root and Postfix's daemons; uv_relay_stock_main.cc sees to that.
#pragma once

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "proxy/relay/stock_listener.h"
#include "proxy/relay/uv_relay.h"
#include "proxy/relay/uv_stock_process.h"
#include "proxy/uv/uv_handles.h"
#include "tests/harness/installed_postfix.h"
#include "tests/protocol/attribute_text.h"

namespace proxymux::proxy {

inline std::string g_root;  // the test's directory: etc, queue, data

using protocol::List;

// Requests and replies as the installed Postfix has them.
using Attributes = std::vector<std::pair<std::string, std::string>>;
constexpr char kFlags[] = "16460";  // LOCK, FOLD_FIX, TRY0NULL, TRY1NULL

inline bool HasInstanceFlags() {
  return harness::TheInstalledPostfix().dialect == protocol::Dialect::kInstanceFlags;
}

inline std::string Question(const char* request, const std::string& table, const char* name,
                            const std::string& value) {
  Attributes list = {{"request", request}, {"table", table}};
  if (HasInstanceFlags()) list.emplace_back("instance_flags", "16448");
  list.emplace_back("flags", kFlags);
  list.emplace_back(name, value);
  return List(list);
}

inline std::string Lookup(const std::string& table, const std::string& key) {
  return Question("lookup", table, "key", key);
}

inline std::string Sequence(const std::string& table, const std::string& function) {
  return Question("sequence", table, "function", function);
}

inline std::string Reply(const char* status, const Attributes& values, const char* flags = kFlags) {
  Attributes list = {{"status", status}};
  if (HasInstanceFlags()) list.emplace_back("flags", flags);
  list.insert(list.end(), values.begin(), values.end());
  return List(list);
}

inline std::string Found(const std::string& value) { return Reply("0", {{"value", value}}); }
inline std::string NotFound() { return Reply("1", {{"value", ""}}); }
inline std::string Denied() { return Reply("4", {{"value", ""}}, "0"); }

// The processes that run stock's proxymap as children of this one, zombies not counted.
inline std::vector<pid_t> StockProcesses() {
  std::vector<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(entry.path() / "stat");
    std::string pid, command, state, parent;
    file >> pid >> command >> state >> parent;
    if (command == "(proxymap)" && state != "Z" && parent == std::to_string(getpid())) {
      found.push_back(std::stoi(pid));
    }
  }
  return found;
}

class Log : public RelayObserver {
 public:
  void OnRelayEvent(RelaySeverity severity, const std::string& text) override {
    lines += text + "\n";
    if (severity == RelaySeverity::kWarning) ++warnings;
  }
  std::string lines;
  int warnings = 0;
};

inline RelayOptions SpawnOptions() {
  RelayOptions options;
  options.policy.mode = StockMode::kSpawn;
  options.launch.program = harness::TheInstalledPostfix().daemon_directory + "/proxymap";
  options.launch.queue_directory = g_root + "/queue";
  options.launch.socket_directory = g_root + "/data";
  options.launch.environment = {{"MAIL_CONFIG", g_root + "/etc"}, {"LANG", "C"}};
  options.launch.generation = 7;
  return options;
}

class UvRelayStock : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(uv_loop_init(&loop_), 0);
    guard_ = UvTimer(&loop_, [this] {
      timed_out_ = true;
      uv_stop(&loop_);
    });
  }

  void TearDown() override {
    if (relay_ != nullptr) Stop();
    relay_.reset();
    guard_.Close();
    uv_run(&loop_, UV_RUN_DEFAULT);
    EXPECT_EQ(uv_loop_close(&loop_), 0) << "a handle was left open";
    EXPECT_TRUE(StockProcesses().empty());
    EXPECT_TRUE(std::filesystem::is_empty(g_root + "/data")) << "a file was left behind";
    if (HasFailure()) std::cerr << log_.lines;
  }

  void Start(RelayOptions options) {
    relay_ = std::make_unique<UvRelay>(&loop_, std::move(options), &log_);
  }
  void Start(const std::vector<std::string>& approved) {
    RelayOptions options = SpawnOptions();
    options.launch.approved = approved;
    Start(std::move(options));
  }

  void Stop() {
    bool stopped = false;
    relay_->Stop([&] { stopped = true; });
    EXPECT_TRUE(RunUntil([&] { return stopped; }));
  }

  // Runs the loop, a turn at a time, until `condition` holds.
  bool RunUntil(const std::function<bool()>& condition,
                std::chrono::milliseconds limit = std::chrono::seconds(20)) {
    timed_out_ = false;
    guard_.Start(limit);
    // What a timer has brought about is seen before the loop sleeps.
    UvPrepare before_sleep(&loop_, [&] {
      if (condition()) uv_stop(&loop_);
    });
    before_sleep.Start();
    while (!condition() && !timed_out_) uv_run(&loop_, UV_RUN_ONCE);
    guard_.Stop();
    return condition();
  }

  struct Answer {
    std::optional<RelayReply> reply;
    std::unique_ptr<RelayTicket> ticket;
  };
  std::unique_ptr<Answer> Submit(const std::string& table, const std::string& list,
                                 SequenceStep step = SequenceStep::kNone,
                                 SequenceLease* lease = nullptr) {
    auto answer = std::make_unique<Answer>();
    answer->ticket = relay_->Submit({list, table, step}, lease,
                                    [to = answer.get()](RelayReply reply) { to->reply = reply; });
    EXPECT_FALSE(answer->reply.has_value()) << "Done ran inside Submit()";
    return answer;
  }
  std::string Wait(const Answer& answer) {
    if (!RunUntil([&] { return answer.reply.has_value(); })) return "no answer";
    return answer.reply->outcome == RelayOutcome::kReplied ? answer.reply->reply
                                                           : "failed: " + answer.reply->reason;
  }
  std::string Ask(const std::string& table, const std::string& key) {
    return Wait(*Submit(table, Lookup(table, key)));
  }

  uv_loop_t loop_;
  UvTimer guard_;
  bool timed_out_ = false;
  Log log_;
  std::unique_ptr<UvRelay> relay_;
};

// A tcp_table(5) server that answers when it is told to.
class SlowTable {
 public:
  explicit SlowTable(uv_loop_t* loop) : loop_(loop) {
    listening_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(listening_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listening_, 64), 0);
    getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &size);
    table_ = "tcp:127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    accepting_.Open(loop, listening_, [this](int, int) { Accept(); });
    accepting_.SetEvents(UV_READABLE);
  }
  ~SlowTable() {
    accepting_.Close();
    close(listening_);
  }
  const std::string& table() const { return table_; }
  std::size_t questions() const { return questions_; }
  void AnswerAll() {
    holding_ = false;
    for (const auto& client : clients_) Answer(client.get());
  }

 private:
  struct Client {
    int fd;
    UvPipe pipe;
    bool asked = false;
  };
  void Accept() {
    const int fd = accept4(listening_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    clients_.push_back(std::make_unique<Client>());
    Client* const client = clients_.back().get();
    client->fd = fd;
    client->pipe.Open(loop_, fd, [this, client](std::string_view bytes, std::int64_t size) {
      if (size < 0) {
        client->pipe.Close();
        client->asked = false;
        return;
      }
      ++questions_;
      client->asked = true;
      if (!holding_) Answer(client);
    });
    client->pipe.StartReading();
  }
  void Answer(Client* client) {
    if (!std::exchange(client->asked, false)) return;
    const std::string answer = "200 late\n";
    EXPECT_EQ(send(client->fd, answer.data(), answer.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(answer.size()));
  }

  uv_loop_t* loop_;
  int listening_;
  std::string table_;
  UvPoll accepting_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::size_t questions_ = 0;
  bool holding_ = true;
};

}  // namespace proxymux::proxy
