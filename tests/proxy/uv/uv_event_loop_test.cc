// The hooks of the pgsql room on the real libuv: what runs, in which order, and what no longer
// does.
#include "proxy/uv/uv_event_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pgsql/runtime/event_loop.h"

namespace proxymux::proxy {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;

TEST(UvEventLoop, RunReturnsWhenNothingCanHappenAnyMore) {
  UvEventLoop loop;
  loop.Run();
}

TEST(UvEventLoop, TimersFireInTheirOrderAndNeverEarly) {
  UvEventLoop loop;
  std::vector<int> fired;
  const pgsql::Time begin = loop.Now();
  auto late = loop.NewTimer([&] {
    fired.push_back(2);
    EXPECT_GE(loop.Now() - begin, milliseconds(20));
  });
  auto soon = loop.NewTimer([&] { fired.push_back(1); });
  late->Start(milliseconds(20));
  soon->Start(milliseconds(1));
  loop.Run();
  EXPECT_THAT(fired, ElementsAre(1, 2));
}

TEST(UvEventLoop, TimerMayBeStoppedMovedAndDestroyedByItself) {
  UvEventLoop loop;
  int fired = 0;
  auto stopped = loop.NewTimer([&] { ADD_FAILURE() << "it was stopped"; });
  stopped->Start(milliseconds(1));
  stopped->Stop();
  auto moved = loop.NewTimer([&] { ++fired; });
  moved->Start(std::chrono::hours(1));
  moved->Start(milliseconds(1));
  std::unique_ptr<pgsql::Timer> own;
  own = loop.NewTimer([&] {
    ++fired;
    own.reset();
  });
  own->Start(milliseconds(1));
  auto gone = loop.NewTimer([&] { ADD_FAILURE() << "it was destroyed"; });
  gone->Start(milliseconds(1));
  gone.reset();
  loop.Run();
  EXPECT_EQ(fired, 2);
}

// The process stops itself, as a paused machine would; a child lets it go on.
void BeStoppedFor(milliseconds time) {
  const pid_t self = getpid();
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const timespec pause = {time.count() / 1000, time.count() % 1000 * 1'000'000};
    nanosleep(&pause, nullptr);
    kill(self, SIGCONT);
    _exit(0);
  }
  kill(self, SIGSTOP);
  waitpid(child, nullptr, 0);
}

TEST(UvEventLoop, TimeInWhichTheProcessIsNotRunDoesNotCount) {
  UvEventLoop loop;
  const pgsql::Clock::time_point real = pgsql::Clock::now();
  pgsql::Time began;
  pgsql::RealTime really_began;
  auto start = loop.NewTimer([&] {
    began = loop.Now();
    really_began = loop.RealNow();
    BeStoppedFor(milliseconds(400));
  });
  start->Start(milliseconds(1));
  auto limit = loop.NewTimer(
      [&] { EXPECT_EQ((loop.RealNow() - really_began) - (loop.Now() - began), loop.away()); });
  limit->Start(milliseconds(300));
  loop.Run();
  EXPECT_GE(pgsql::Clock::now() - real, milliseconds(690));
  EXPECT_GE(loop.away(), milliseconds(390));
}

TEST(UvEventLoop, SleepingIsNotBeingAway) {
  UvEventLoop loop;
  const pgsql::Clock::time_point real = pgsql::Clock::now();
  auto timer = loop.NewTimer([] {});
  timer->Start(milliseconds(150));
  loop.Run();
  EXPECT_LE(loop.away(), pgsql::Clock::now() - real - milliseconds(149));
}

TEST(UvEventLoop, TimerStartedLateInALongTurnIsNotEarly) {
  UvEventLoop loop;
  pgsql::Time started;
  std::optional<pgsql::Duration> waited;
  auto second = loop.NewTimer([&] { waited = pgsql::Clock::now() - started; });
  auto first = loop.NewTimer([&] {
    while (pgsql::Clock::now() - started < milliseconds(30)) {
    }
    started = pgsql::Clock::now();
    second->Start(milliseconds(20));
  });
  started = pgsql::Clock::now();
  first->Start(milliseconds(0));
  loop.Run();
  ASSERT_TRUE(waited.has_value());
  EXPECT_GE(*waited, milliseconds(19));
}

TEST(UvEventLoop, TasksRunInOrderAndThoseThatTheyAddInTheNextTurn) {
  UvEventLoop loop;
  std::vector<std::string> order;
  loop.AtEndOfTurn([&] {
    order.push_back("first");
    loop.AtEndOfTurn([&] { order.push_back("added"); });
  });
  loop.AtEndOfTurn([&] { order.push_back("second"); });
  loop.Run();
  EXPECT_THAT(order, ElementsAre("first", "second", "added"));
}

TEST(UvEventLoop, TaskOfATurnComesAfterEverySocketOfThatTurn) {
  UvEventLoop loop;
  std::vector<std::string> order;
  int pairs[2][2];
  std::unique_ptr<pgsql::SocketWatch> watches[2];
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pairs[i]), 0);
    ASSERT_EQ(write(pairs[i][1], "x", 1), 1);
    watches[i] = loop.WatchSocket(pairs[i][0], [&, i](bool, bool) {
      order.push_back("socket");
      if (order.size() == 1) loop.AtEndOfTurn([&] { order.push_back("task"); });
      watches[i].reset();
    });
    watches[i]->SetInterest(true, false);
  }
  loop.Run();
  EXPECT_THAT(order, ElementsAre("socket", "socket", "task"));
  for (auto& pair : pairs) {
    close(pair[0]);
    close(pair[1]);
  }
}

TEST(UvEventLoop, ATaskKeepsTheLoopFromSleeping) {
  UvEventLoop loop;
  auto far = loop.NewTimer([] {});
  far->Start(std::chrono::hours(1));
  loop.AtEndOfTurn([&] { far.reset(); });
  loop.Run();  // would last an hour
}

// After a reset there may be more to read than one call of the owner takes; it must be told again
// until it has seen the error for itself.
TEST(UvEventLoop, AResetSocketKeepsBeingReported) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(listener, 1), 0);
  ASSERT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(connect(client, reinterpret_cast<sockaddr*>(&address), size), 0);
  const int server = accept(listener, nullptr, nullptr);
  const linger reset{1, 0};
  setsockopt(server, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));

  UvEventLoop loop;
  int told = 0;
  std::unique_ptr<pgsql::SocketWatch> watch;
  watch = loop.WatchSocket(client, [&](bool readable, bool) {
    EXPECT_TRUE(readable);
    if (++told == 3) watch.reset();
  });
  watch->SetInterest(true, false);
  close(server);
  loop.Run();
  EXPECT_EQ(told, 3);
  close(client);
  close(listener);
}

TEST(UvEventLoop, AWatchWithoutInterestIsSilent) {
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
  ASSERT_EQ(write(pair[1], "x", 1), 1);
  UvEventLoop loop;
  std::vector<std::string> told;
  std::unique_ptr<pgsql::SocketWatch> watch;
  watch = loop.WatchSocket(pair[0], [&](bool readable, bool writable) {
    told.push_back(std::string(readable ? "r" : "") + (writable ? "w" : ""));
    watch->SetInterest(false, false);
  });
  watch->SetInterest(true, true);
  loop.Run();
  EXPECT_THAT(told, ElementsAre("rw"));
  watch.reset();
  close(pair[0]);
  close(pair[1]);
}

}  // namespace
}  // namespace proxymux::proxy
