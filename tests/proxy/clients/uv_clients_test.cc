// Many clients on a real listening socket: the bound on their number, and the end.
#include "proxy/clients/uv_clients.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "tests/harness/socket.h"
#include "tests/harness/temp_directory.h"
#include "tests/proxy/requests/router_world.h"

namespace proxymux::proxy {
namespace {

using ::testing::HasSubstr;

constexpr char kTable[] = "pgsql:/a.cf";
const std::string kOpen = List({{"request", "open"}, {"table", kTable}, {"flags", "64"}});
const std::string kLookup =
    List({{"request", "lookup"}, {"table", kTable}, {"flags", "0"}, {"key", "user"}});

int Connect(const std::string& path) {
  const sockaddr_un address = harness::UnixAddress(path);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0)
      << std::strerror(errno);
  return fd;
}

// What is there now, or "(end)" at the end of the connection.
std::string Read(int fd) {
  char buffer[65536];
  const ssize_t size = read(fd, buffer, sizeof(buffer));
  if (size == 0) return "(end)";
  return size < 0 ? "" : Shown(std::string_view(buffer, static_cast<std::size_t>(size)));
}

class UvClientsTest : public ::testing::Test {
 protected:
  UvClientsTest() : world_(&loop_, {kTable}) {
    std::signal(SIGPIPE, SIG_IGN);  // as in the daemon
    world_.Add(kTable, "query = SELECT a FROM t WHERE b = '%s'\n");
  }
  ~UvClientsTest() override {
    for (const int fd : clients_) close(fd);
    service_.reset();
    Turns();
  }
  void Serve(std::size_t limit) {
    service_.emplace(&loop_, &world_.router, &world_.log, UvClients::Limits{limit, 65536, false},
                     [this] { ++served_; });
    std::string error;
    const int fd = ListenUnix(path_, &error);
    ASSERT_GE(fd, 0) << error;
    ASSERT_EQ(service_->Listen(fd), "");
  }
  void Turns() {
    for (int i = 0; i < 8; ++i) uv_run(loop_.uv(), UV_RUN_NOWAIT);
  }
  int NewClient() {
    clients_.push_back(Connect(path_));
    Turns();
    return clients_.back();
  }
  void Leave(int fd) {
    close(fd);
    std::erase(clients_, fd);
    Turns();
  }
  std::string Ask(int fd, const std::string& request = kOpen) {
    EXPECT_EQ(write(fd, request.data(), request.size()), static_cast<ssize_t>(request.size()));
    Turns();
    return Read(fd);
  }
  void Settle() {
    Turns();
    world_.factory.Settle();
    Turns();
  }

  harness::TempDirectory directory_;
  const std::string path_ = directory_ / "socket";
  UvEventLoop loop_;
  RouterWorld world_;
  std::optional<UvClients> service_;
  int served_ = 0;
  std::vector<int> clients_;
};

TEST_F(UvClientsTest, EveryClientIsServed) {
  Serve(100);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Ask(NewClient()), "status=0 flags=80");
  EXPECT_EQ(service_->now(), 20u);
  EXPECT_EQ(service_->accepted(), 20u);
  EXPECT_GE(served_, 1) << "master has to be told that nobody waits";
}

TEST_F(UvClientsTest, OneMoreThanTheLimitWaitsUntilOneLeaves) {
  Serve(2);
  const int a = NewClient();
  const int b = NewClient();
  EXPECT_THAT(world_.lines.TakeText(), HasSubstr("max_clients allows (2)"));
  const int c = NewClient();
  EXPECT_EQ(Ask(c), "") << "it waits in the listen queue";
  EXPECT_EQ(service_->now(), 2u);
  EXPECT_EQ(Ask(a), "status=0 flags=80");
  Leave(a);
  EXPECT_EQ(service_->now(), 2u);
  EXPECT_EQ(Read(c), "status=0 flags=80") << "what it asked meanwhile is answered";
  EXPECT_EQ(Ask(b), "status=0 flags=80");
}

TEST_F(UvClientsTest, AHigherLimitLetsTheWaitingInAndALowerOneEndsNobody) {
  Serve(1);
  const int a = NewClient();
  const int b = NewClient();
  EXPECT_EQ(Ask(b), "");
  service_->SetLimits({3, 65536, false});
  Turns();
  EXPECT_EQ(Read(b), "status=0 flags=80");
  service_->SetLimits({1, 65536, false});
  EXPECT_EQ(Ask(a), "status=0 flags=80");
  EXPECT_EQ(service_->now(), 2u);
  const int c = NewClient();
  EXPECT_EQ(Ask(c), "");
  Leave(a);
  EXPECT_EQ(Read(c), "") << "still as many as allowed";
  Leave(b);
  EXPECT_EQ(Read(c), "status=0 flags=80");
}

TEST_F(UvClientsTest, AFloodOfClientsIsTakenInPortions) {
  Serve(1000);
  for (int i = 0; i < 600; ++i) clients_.push_back(Connect(path_));
  Turns();
  EXPECT_EQ(service_->now(), 600u);
  while (!clients_.empty()) {
    close(clients_.back());
    clients_.pop_back();
  }
  Turns();
  EXPECT_EQ(service_->now(), 0u);
}

TEST_F(UvClientsTest, WithoutDescriptorsAcceptingPausesAndGoesOn) {
  Serve(100);
  const int a = NewClient();
  clients_.push_back(Connect(path_));
  const int b = clients_.back();
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const int next = dup(0);
  close(next);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(next);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  Turns();
  EXPECT_EQ(Ask(a), "status=0 flags=80");
  EXPECT_EQ(service_->now(), 1u);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_THAT(world_.lines.TakeText(), HasSubstr("cannot accept clients: Too many open files"));
  UvTimer poll(loop_.uv(), [&] {
    if (service_->now() == 2) loop_.Stop();
  });
  poll.StartRepeating(std::chrono::milliseconds(1));
  loop_.Run();
  EXPECT_EQ(Ask(b), "status=0 flags=80");
}

TEST_F(UvClientsTest, DrainWithoutClientsIsDoneAtTheEndOfTheTurn) {
  Serve(10);
  int done = 0;
  service_->Drain([&] { ++done; });
  EXPECT_EQ(done, 0) << "not from inside the call";
  Turns();
  EXPECT_EQ(done, 1);
}

TEST_F(UvClientsTest, DrainAnswersWhatWasReadAndAcceptsNobody) {
  Serve(10);
  const int idle = NewClient();
  const int busy = NewClient();
  EXPECT_EQ(Ask(busy, kLookup), "");
  int done = 0;
  service_->Drain([&] { ++done; });
  Turns();
  EXPECT_EQ(Read(idle), "(end)");
  EXPECT_EQ(done, 0);
  EXPECT_EQ(service_->now(), 1u);
  EXPECT_NE(std::filesystem::status(path_).type(), std::filesystem::file_type::not_found);
  const sockaddr_un address = harness::UnixAddress(path_);
  const int late = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_NE(connect(late, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  close(late);
  Settle();
  world_.connection().Answer("box");
  Turns();
  EXPECT_EQ(Read(busy), "status=0 value=box");
  EXPECT_EQ(Read(busy), "(end)");
  EXPECT_EQ(done, 1);
}

TEST_F(UvClientsTest, DrainEndsWhenTheLastClientVanishes) {
  Serve(10);
  const int busy = NewClient();
  Ask(busy, kLookup);
  int done = 0;
  service_->Drain([&] { ++done; });
  Turns();
  EXPECT_EQ(done, 0);
  Leave(busy);
  EXPECT_EQ(done, 1);
  EXPECT_EQ(world_.coalescer.flights(), 0u);
}

TEST_F(UvClientsTest, EndAllClosesEverybody) {
  Serve(10);
  const int a = NewClient();
  Ask(a, kLookup);
  int done = 0;
  service_->NotifyWhenEmpty([&] { ++done; });
  service_->EndAll();
  EXPECT_EQ(service_->now(), 0u);
  Turns();
  EXPECT_EQ(done, 1);
  EXPECT_EQ(Read(a), "(end)");
}

TEST_F(UvClientsTest, OneClientOfItsOwnIsServedWithoutASocketToListenOn) {
  service_.emplace(&loop_, &world_.router, &world_.log, UvClients::Limits{10, 65536, false}, [] {});
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  service_->Adopt(pair[0]);
  int empty = 0;
  service_->NotifyWhenEmpty([&] { ++empty; });
  EXPECT_EQ(Ask(pair[1]), "status=0 flags=80");
  EXPECT_EQ(empty, 0);
  close(pair[1]);
  Turns();
  EXPECT_EQ(empty, 1);
}

TEST_F(UvClientsTest, ItMayBeDestroyedWithClientsAndRequestsUnderWay) {
  Serve(10);
  Ask(NewClient(), kLookup);
  NewClient();
  service_.reset();
  EXPECT_EQ(world_.coalescer.flights(), 0u);
  Turns();
}

}  // namespace
}  // namespace proxymux::proxy
