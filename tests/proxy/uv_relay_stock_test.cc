// The relay with the real stock proxymap, in a queue directory of its own, as user postfix. Needs
// root and Postfix's daemons.
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

#include "proxy/stock_listener.h"
#include "proxy/uv_handles.h"
#include "proxy/uv_relay.h"
#include "proxy/uv_stock_process.h"

namespace proxymux::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::string_literals::operator""s;

constexpr const char* kDaemons = "/usr/lib/postfix/sbin";
std::string g_root;  // the test's directory: etc, queue, data

std::string List(const std::vector<std::pair<std::string, std::string>>& attributes) {
  std::string list;
  for (const auto& [name, value] : attributes) list += name + '\0' + value + '\0';
  return list + '\0';
}

std::string Lookup(const std::string& table, const std::string& key) {
  return List({{"request", "lookup"}, {"table", table}, {"flags", "16448"}, {"key", key}});
}

std::string Sequence(const std::string& table, const std::string& function) {
  return List(
      {{"request", "sequence"}, {"table", table}, {"flags", "16448"}, {"function", function}});
}

std::string Found(const std::string& value) { return List({{"status", "0"}, {"value", value}}); }

// The processes that run stock's proxymap as children of this one, zombies not counted.
std::vector<pid_t> StockProcesses() {
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

RelayOptions SpawnOptions() {
  RelayOptions options;
  options.policy.mode = StockMode::kSpawn;
  options.launch.program = std::string(kDaemons) + "/proxymap";
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
  bool RunUntil(const std::function<bool()>& condition, milliseconds limit = seconds(20)) {
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

TEST_F(UvRelayStock, LooksUpInTheTablesThatStockHas) {
  const std::string texthash = "texthash:" + g_root + "/etc/table";
  Start({"unix:passwd.byname", "inline:{a=b, c=d}", texthash});
  EXPECT_EQ(Ask("unix:passwd.byname", "root").substr(0, 22), "status\0000\0value\0root:x:"s);
  EXPECT_EQ(Ask("inline:{a=b, c=d}", "c"), Found("d"));
  EXPECT_EQ(Ask(texthash, "key"), Found("value"));
  EXPECT_EQ(Ask(texthash, "nobody"), List({{"status", "1"}, {"value", ""}}));
  EXPECT_EQ(Ask("inline:{not=approved}", "not"), List({{"status", "4"}, {"value", ""}}));
  EXPECT_EQ(relay_->Status().processes, 1) << "one after the other needs one process";
  EXPECT_EQ(StockProcesses().size(), 1u);
  EXPECT_EQ(log_.warnings, 0);
}

TEST_F(UvRelayStock, ChildHasTheDescriptorsOfMasterAndNoOthers) {
  const int leak = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
  Start({"inline:{a=b}"});
  EXPECT_EQ(Ask("inline:{a=b}", "a"), Found("b"));
  ASSERT_EQ(StockProcesses().size(), 1u);
  const std::string proc = "/proc/" + std::to_string(StockProcesses()[0]);
  std::vector<std::string> targets(8);
  std::size_t ours = 0;
  for (const auto& entry : std::filesystem::directory_iterator(proc + "/fd")) {
    const std::size_t number = std::stoul(entry.path().filename());
    const std::string target = std::filesystem::read_symlink(entry.path());
    if (number < targets.size()) targets[number] = target;
    EXPECT_NE(target, "/etc/passwd");
    if (target.rfind("socket:", 0) == 0) ++ours;
  }
  for (int i = 0; i < 3; ++i) EXPECT_EQ(targets[i], "/dev/null");
  for (int i = 3; i < 5; ++i) EXPECT_EQ(targets[i].rfind("pipe:", 0), 0u) << targets[i];
  for (int i = 5; i < 7; ++i) EXPECT_EQ(targets[i].rfind("socket:", 0), 0u) << targets[i];
  EXPECT_EQ(ours, 3u) << "status, listening and our connection";
  EXPECT_EQ(std::filesystem::read_symlink(proc + "/cwd"), g_root + "/queue");
  EXPECT_NE(getpgid(StockProcesses()[0]), getpgrp()) << "SIGTERM to our group must not reach it";
  std::ifstream file(proc + "/environ");
  std::stringstream environment;
  environment << file.rdbuf();
  EXPECT_EQ(environment.str(), "MAIL_CONFIG=" + g_root + "/etc\0LANG=C\0GENERATION=7\0"s);
  close(leak);
}

TEST_F(UvRelayStock, SlowTableHoldsUpNobodyElse) {
  SlowTable slow(&loop_);
  RelayOptions options = SpawnOptions();
  options.policy.processes = 4;
  options.launch.approved = {slow.table(), "unix:passwd.byname", "inline:{a=b}"};
  Start(options);
  std::vector<std::unique_ptr<Answer>> waiting;
  for (int i = 0; i < 8; ++i) {
    waiting.push_back(Submit(slow.table(), Lookup(slow.table(), "k" + std::to_string(i))));
  }
  ASSERT_TRUE(RunUntil([&] { return slow.questions() == 2; }));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Ask("inline:{a=b}", "a"), Found("b"));
  EXPECT_EQ(Ask("unix:passwd.byname", "root").substr(0, 8), "status\0000"s);
  for (const auto& answer : waiting) EXPECT_FALSE(answer->reply.has_value());
  EXPECT_LE(StockProcesses().size(), 4u);
  slow.AnswerAll();
  for (const auto& answer : waiting) EXPECT_EQ(Wait(*answer), Found("late"));
}

TEST_F(UvRelayStock, ManyLookupsAtOnceAllGetTheirOwnReply) {
  Start({"unix:passwd.byname", "inline:{a=1, b=2, c=3}"});
  std::vector<std::pair<std::string, std::unique_ptr<Answer>>> all;
  for (int i = 0; i < 300; ++i) {
    const int which = i % 3;
    all.emplace_back(Found(std::to_string(which + 1)),
                     Submit("inline:{a=1, b=2, c=3}",
                            Lookup("inline:{a=1, b=2, c=3}", std::string(1, 'a' + which))));
    if (i % 7 == 0) all.pop_back();  // this client goes away
  }
  for (const auto& [expected, answer] : all) EXPECT_EQ(Wait(*answer), expected);
  EXPECT_EQ(relay_->Status().failures, 0u);
}

TEST_F(UvRelayStock, ReplyToAClientThatWentAwayReachesNobodyElse) {
  SlowTable slow(&loop_);
  RelayOptions options = SpawnOptions();
  options.policy.processes = 1;
  options.launch.approved = {slow.table(), "inline:{a=b}"};
  Start(options);
  auto gone = Submit(slow.table(), Lookup(slow.table(), "k"));
  ASSERT_TRUE(RunUntil([&] { return slow.questions() == 1; }));
  auto next = Submit("inline:{a=b}", Lookup("inline:{a=b}", "a"));
  gone->ticket.reset();
  slow.AnswerAll();
  EXPECT_EQ(Wait(*next), Found("b"));
  EXPECT_FALSE(gone->reply.has_value());
}

TEST_F(UvRelayStock, KilledInTheMiddleOfARequestTheRequestIsRepeated) {
  SlowTable slow(&loop_);
  Start({slow.table()});
  auto answer = Submit(slow.table(), Lookup(slow.table(), "k"));
  ASSERT_TRUE(RunUntil([&] { return slow.questions() == 1; }));
  const std::vector<pid_t> before = StockProcesses();
  ASSERT_EQ(before.size(), 1u);
  kill(before[0], SIGKILL);
  ASSERT_TRUE(RunUntil([&] { return slow.questions() == 2; }));
  ASSERT_EQ(StockProcesses().size(), 1u);
  EXPECT_NE(StockProcesses(), before);
  slow.AnswerAll();
  EXPECT_EQ(Wait(*answer), Found("late"));
  EXPECT_EQ(relay_->Status().restarts, 1u);
  EXPECT_GE(log_.warnings, 1);
}

TEST_F(UvRelayStock, KilledAgainItFailsAndTheNextRequestIsServed) {
  SlowTable slow(&loop_);
  Start({slow.table(), "inline:{a=b}"});
  auto answer = Submit(slow.table(), Lookup(slow.table(), "k"));
  for (std::size_t i = 1; i <= 2; ++i) {
    ASSERT_TRUE(RunUntil([&] { return slow.questions() == i; }));
    kill(StockProcesses().at(0), SIGKILL);
  }
  EXPECT_EQ(Wait(*answer).substr(0, 7), "failed:");
  EXPECT_EQ(Ask("inline:{a=b}", "a"), Found("b"));
}

TEST_F(UvRelayStock, KilledWhileIdleIsReplacedUnseen) {
  Start({"inline:{a=b}"});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Ask("inline:{a=b}", "a"), Found("b"));
    kill(StockProcesses().at(0), SIGKILL);
  }
  EXPECT_EQ(Ask("inline:{a=b}", "a"), Found("b"));
  EXPECT_EQ(relay_->Status().failures, 0u);
}

TEST_F(UvRelayStock, StuckLookupTimesOutAndItsProcessIsEnded) {
  SlowTable slow(&loop_);
  RelayOptions options = SpawnOptions();
  options.policy.request_timeout = milliseconds(500);
  options.launch.approved = {slow.table()};
  Start(options);
  EXPECT_NE(Ask(slow.table(), "k").find("timed out"), std::string::npos);
  EXPECT_TRUE(RunUntil([] { return StockProcesses().empty(); }));
  EXPECT_EQ(relay_->Status().kills, 1u);
}

TEST_F(UvRelayStock, IdleProcessEndsByItself) {
  RelayOptions options = SpawnOptions();
  options.policy.process_idle = milliseconds(300);
  options.policy.connection_idle = milliseconds(100);
  options.launch.approved = {"inline:{a=b}"};
  Start(options);
  EXPECT_EQ(Ask("inline:{a=b}", "a"), Found("b"));
  EXPECT_EQ(StockProcesses().size(), 1u);
  EXPECT_TRUE(RunUntil([&] { return relay_->Status().processes == 0; }));
  EXPECT_EQ(relay_->Status().kills, 0u) << "closing the status socket must have been enough";
  EXPECT_EQ(Ask("inline:{a=b}", "a"), Found("b"));
}

TEST_F(UvRelayStock, SequenceKeepsItsPosition) {
  const std::string table = "texthash:" + g_root + "/etc/table";
  Start({table, "inline:{a=b}"});
  const auto lease = relay_->NewLease();
  std::vector<std::string> seen;
  std::string reply = Wait(*Submit(table, Sequence(table, "0"), SequenceStep::kFirst, lease.get()));
  while (reply.rfind("status\0000\0"s, 0) == 0 && seen.size() < 10) {
    seen.push_back(reply);
    EXPECT_EQ(Ask("inline:{a=b}", "a"), Found("b"));
    reply = Wait(*Submit(table, Sequence(table, "1"), SequenceStep::kNext, lease.get()));
  }
  std::sort(seen.begin(), seen.end());
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(std::unique(seen.begin(), seen.end()), seen.end());
  EXPECT_EQ(reply, List({{"status", "1"}, {"key", ""}, {"value", ""}}));
}

TEST_F(UvRelayStock, ChangedTableIsNoticedUnderSteadyUse) {
  // Stock compares a table's time only when it accepts a connection, and a busy connection of ours
  // would last.
  const std::string source = g_root + "/tables/changing";
  const auto write_table = [&](const std::string& value) {
    std::ofstream(source) << "key " << value << "\n";
    const std::string command = "/usr/sbin/postmap -c " + g_root + "/etc hash:" + source;
    ASSERT_EQ(std::system(command.c_str()), 0);
  };
  write_table("old");
  const timeval hour_ago[2] = {{time(nullptr) - 3600, 0}, {time(nullptr) - 3600, 0}};
  ASSERT_EQ(utimes((source + ".db").c_str(), hour_ago), 0);
  Start({"hash:" + source});
  EXPECT_EQ(Ask("hash:" + source, "key"), Found("old"));
  write_table("new");
  const auto changed = std::chrono::steady_clock::now();
  std::string answer = Found("old");
  while (answer == Found("old") && std::chrono::steady_clock::now() - changed < seconds(10)) {
    answer = Ask("hash:" + source, "key");
  }
  EXPECT_EQ(answer, Found("new"));
  EXPECT_LT(std::chrono::steady_clock::now() - changed, seconds(4));
  EXPECT_EQ(relay_->Status().restarts, 1u);
  EXPECT_EQ(relay_->Status().failures, 0u);
}

TEST_F(UvRelayStock, SequenceThatKillsStockFailsCleanly) {
  Start({"unix:passwd.byname", "inline:{a=b}"});
  const auto lease = relay_->NewLease();
  const std::string table = "unix:passwd.byname";
  const std::string reply =
      Wait(*Submit(table, Sequence(table, "0"), SequenceStep::kFirst, lease.get()));
  EXPECT_EQ(reply.substr(0, 7), "failed:");
  EXPECT_EQ(Ask("inline:{a=b}", "a"), Found("b"));
}

TEST_F(UvRelayStock, ProgramThatIsNotThereFailsRequestsWithTheReason) {
  RelayOptions options = SpawnOptions();
  options.launch.program = g_root + "/no-such-program";
  Start(options);
  const std::string reply = Ask("inline:{a=b}", "a");
  EXPECT_NE(reply.find("no-such-program"), std::string::npos) << reply;
  EXPECT_LE(relay_->Status().starts, 3u);
}

TEST_F(UvRelayStock, ProgramThatEndsAtOnceFailsRequestsWithTheReason) {
  RelayOptions options = SpawnOptions();
  options.launch.program = "/bin/false";
  Start(options);
  const std::string reply = Ask("inline:{a=b}", "a");
  EXPECT_NE(reply.find("exit status 1"), std::string::npos) << reply;
  EXPECT_LE(relay_->Status().starts, 3u);
}

TEST_F(UvRelayStock, NewApprovalReachesStockAfterReconfigure) {
  Start({"inline:{a=b}"});
  EXPECT_EQ(Ask("inline:{c=d}", "c"), List({{"status", "4"}, {"value", ""}}));
  RelayOptions options = SpawnOptions();
  options.launch.approved = {"inline:{c=d}"};
  relay_->Reconfigure(options);
  EXPECT_EQ(Ask("inline:{c=d}", "c"), Found("d"));
}

TEST_F(UvRelayStock, StopInTheMiddleOfASlowLookupLeavesNothing) {
  SlowTable slow(&loop_);
  Start({slow.table()});
  auto answer = Submit(slow.table(), Lookup(slow.table(), "k"));
  ASSERT_TRUE(RunUntil([&] { return slow.questions() == 1; }));
  bool stopped = false;
  relay_->Stop([&] { stopped = true; });
  ASSERT_TRUE(RunUntil([&] { return stopped; }));
  ASSERT_TRUE(answer->reply.has_value());
  EXPECT_EQ(answer->reply->outcome, RelayOutcome::kFailed);
  EXPECT_TRUE(StockProcesses().empty());
}

TEST_F(UvRelayStock, DestroyedWithoutStopItKillsItsProcesses) {
  Start({"inline:{a=b}"});
  EXPECT_EQ(Ask("inline:{a=b}", "a"), Found("b"));
  relay_.reset();
  EXPECT_TRUE(RunUntil([] { return StockProcesses().empty(); }));
}

TEST_F(UvRelayStock, ServiceModeUsesTheSocketOfAStockService) {
  // A stock daemon with a listening socket of its own stands for the service that master runs; we
  // know it by its entry.
  StockListener listener;
  ASSERT_EQ(listener.Open(g_root + "/data"), 0);
  StockLaunch launch = SpawnOptions().launch;
  launch.approved = {"inline:{a=b}"};
  bool ended = false;
  auto stock = std::make_unique<UvStockProcess>(&loop_, [&](const std::string&) { ended = true; });
  std::string error;
  ASSERT_EQ(stock->Start(launch, listener.fd(), &error), 0) << error;

  RelayOptions options;
  options.service_socket = listener.path();
  Start(options);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Ask("inline:{a=b}", "a"), Found("b"));
  EXPECT_EQ(relay_->Status().starts, 1u) << "one connection, used again";
  Stop();
  stock->AskToEnd();
  EXPECT_TRUE(RunUntil([&] { return ended; }));
}

TEST_F(UvRelayStock, ServiceThatIsNotThereFailsRequestsSoon) {
  RelayOptions options;
  options.service_socket = g_root + "/queue/private/proxymap";
  Start(options);
  const std::string reply = Ask("inline:{a=b}", "a");
  EXPECT_NE(reply.find("private/proxymap: no such file"), std::string::npos) << reply;
}

TEST_F(UvRelayStock, StockEndsWhenItsParentIsKilled) {
  // A process of its own starts the relay, tells us the number of its stock daemon and is killed.
  // We take in its orphans.
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  int pipe_ends[2];
  ASSERT_EQ(pipe2(pipe_ends, O_CLOEXEC), 0);
  const pid_t parent = fork();
  if (parent == 0) {
    uv_loop_t loop;
    uv_loop_init(&loop);
    Log log;
    RelayOptions options = SpawnOptions();
    options.launch.approved = {"inline:{a=b}"};
    UvRelay relay(&loop, options, &log);
    const auto ticket =
        relay.Submit({Lookup("inline:{a=b}", "a"), "inline:{a=b}"}, nullptr, [&](RelayReply) {
          const pid_t pid = StockProcesses().at(0);
          if (write(pipe_ends[1], &pid, sizeof pid) < 0) _exit(1);
        });
    uv_run(&loop, UV_RUN_DEFAULT);
    _exit(1);
  }
  pid_t stock = 0;
  ASSERT_EQ(read(pipe_ends[0], &stock, sizeof stock), static_cast<ssize_t>(sizeof stock));
  kill(parent, SIGKILL);
  int status = 0;
  ASSERT_EQ(waitpid(parent, &status, 0), parent);
  ASSERT_EQ(waitpid(stock, &status, 0), stock);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}

void PrepareDirectories() {
  std::string pattern = "/tmp/relay-XXXXXX";
  g_root = mkdtemp(pattern.data());
  const passwd* const postfix = getpwnam("postfix");
  for (const char* name : {"/etc", "/queue", "/queue/private", "/queue/pid", "/data", "/tables"}) {
    std::filesystem::create_directory(g_root + name);
  }
  chmod(g_root.c_str(), 0755);
  for (const char* name : {"/data", "/queue/private", "/tables"}) {
    if (chown((g_root + name).c_str(), postfix->pw_uid, postfix->pw_gid) != 0) abort();
  }
  std::ofstream(g_root + "/etc/main.cf")
      << "compatibility_level = 3.6\nmail_owner = postfix\nmyhostname = relay.example\n"
      << "queue_directory = " << g_root << "/queue\ndata_directory = " << g_root << "/data\n"
      << "daemon_directory = " << kDaemons << "\nproxy_read_maps =\n";
  std::ofstream(g_root + "/etc/table") << "key value\nother thing\nthird one\n";
  // Postfix waits up to two seconds for files that were written just now.
  const timeval hour_ago[2] = {{time(nullptr) - 3600, 0}, {time(nullptr) - 3600, 0}};
  utimes((g_root + "/etc/main.cf").c_str(), hour_ago);
  utimes((g_root + "/etc/table").c_str(), hour_ago);
}

// Runs the tests in a child that has become user postfix, as the relay does; the parent tidies up
// as root.
int RunAsPostfix() {
  const pid_t child = fork();
  if (child == 0) {
    const passwd* const postfix = getpwnam("postfix");
    if (initgroups("postfix", postfix->pw_gid) != 0 || setgid(postfix->pw_gid) != 0 ||
        setuid(postfix->pw_uid) != 0) {
      _exit(1);
    }
    signal(SIGPIPE, SIG_IGN);  // as the relay asks of its process
    const int result = RUN_ALL_TESTS();
    std::cout.flush();
    exit(result);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) std::cerr << "ended by signal " << WTERMSIG(status) << "\n";
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

}  // namespace
}  // namespace proxymux::proxy

int main(int argc, char** argv) {
  // The test writes as user postfix, who cannot where Bazel wants its report; Bazel then makes one
  // itself.
  testing::GTEST_FLAG(output) = "";
  unsetenv("TEST_PREMATURE_EXIT_FILE");
  testing::InitGoogleTest(&argc, argv);
  if (geteuid() != 0 || access("/usr/lib/postfix/sbin/proxymap", X_OK) != 0) {
    std::cerr << "needs root and Postfix's daemons\n";
    return 1;
  }
  proxymux::proxy::PrepareDirectories();
  const int result = proxymux::proxy::RunAsPostfix();
  std::filesystem::remove_all(proxymux::proxy::g_root);
  return result;
}
