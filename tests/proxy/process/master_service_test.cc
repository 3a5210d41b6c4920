// What master(8) does to a daemon is done here to a forked child: descriptors 3 to 6, a status
// socket, root's privileges.
#include "proxy/process/master_service.h"

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "proxy/process/privileges.h"
#include "proxy/process/socket_activation.h"
#include "proxy/process/watchdog.h"

namespace proxymux::proxy {
namespace {

// Runs `body` in a child of its own; its value is the exit status, the result what waitpid(2) says.
int InChild(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    _exit(body());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

#define EXPECT_EXITS_WITH_0(status)                                                     \
  do {                                                                                  \
    const int child_status = (status);                                                  \
    EXPECT_TRUE(WIFEXITED(child_status)) << "signal " << WTERMSIG(child_status);        \
    EXPECT_EQ(WEXITSTATUS(child_status), 0) << "the check of that number in the child"; \
  } while (false)

int Listener() {
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un name{};
  name.sun_family = AF_UNIX;  // autobind: an abstract name of the kernel's choice
  if (bind(fd, reinterpret_cast<sockaddr*>(&name), sizeof(sa_family_t)) != 0) return -1;
  return listen(fd, 5) == 0 ? fd : -1;
}

// Makes 3 to 5 and the listeners, as master leaves them: open across exec, status socket as one end
// of a pair.
bool LikeMaster(int listeners) {
  int flow[2];
  int status[2];
  std::vector<int> sockets;
  if (pipe(flow) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, status) != 0) return false;
  for (int i = 0; i < listeners; ++i) sockets.push_back(Listener());
  // Out of the way first, so that dup2 does not overwrite what is still needed.
  std::vector<int> high = {fcntl(flow[0], F_DUPFD, 100), fcntl(flow[1], F_DUPFD, 100),
                           fcntl(status[1], F_DUPFD, 100)};
  for (const int fd : sockets) high.push_back(fcntl(fd, F_DUPFD, 100));
  for (std::size_t i = 0; i < high.size(); ++i) {
    if (dup2(high[i], 3 + static_cast<int>(i)) < 0) return false;
  }
  return true;
}

TEST(MasterDescriptors, AllAreCloseOnExecAndListenersDoNotBlock) {
  EXPECT_EXITS_WITH_0(InChild([] {
    if (!LikeMaster(2)) return 1;
    const auto result = AdoptMasterDescriptors(2);
    const auto* descriptors = std::get_if<MasterDescriptors>(&result);
    if (descriptors == nullptr) return 2;
    if (descriptors->listeners != std::vector<int>{6, 7} || descriptors->status != 5) return 3;
    for (int fd = 3; fd <= 7; ++fd) {
      if ((fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0) return 4;
    }
    for (int fd = 5; fd <= 7; ++fd) {
      if ((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0) return 5;
    }
    return accept(6, nullptr, nullptr) < 0 && errno == EAGAIN ? 0 : 6;
  }));
}

TEST(MasterDescriptors, WithoutMasterTheErrorSaysWhatIsMissing) {
  EXPECT_EXITS_WITH_0(InChild([] {
    for (int fd = 3; fd < 20; ++fd) close(fd);
    auto result = AdoptMasterDescriptors(1);
    const auto* error = std::get_if<DescriptorError>(&result);
    if (error == nullptr || error->text.find("descriptor 5") == std::string::npos) return 1;
    if (!LikeMaster(1)) return 2;
    close(6);
    result = AdoptMasterDescriptors(1);
    error = std::get_if<DescriptorError>(&result);
    if (error == nullptr || error->text.find("descriptor 6") == std::string::npos) return 3;
    if (dup2(5, 6) < 0) return 4;  // a socket, but nobody listens on it
    return std::holds_alternative<DescriptorError>(AdoptMasterDescriptors(1)) ? 0 : 5;
  }));
}

TEST(MasterStatus, OnePairBusyThenAvailableAndOnlyOnce) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
  MasterStatus status(ends[1], 4711, 15);
  EXPECT_FALSE(status.served_reported());
  EXPECT_EQ(status.ReportServed(), StatusWrite::kSent);
  EXPECT_EQ(status.ReportServed(), StatusWrite::kSent);
  EXPECT_TRUE(status.served_reported());
  std::array<int, 3> message{};
  ASSERT_EQ(read(ends[0], message.data(), sizeof(message)), 12);
  EXPECT_EQ(message, (std::array<int, 3>{4711, 15, 0}));
  ASSERT_EQ(read(ends[0], message.data(), sizeof(message)), 12);
  EXPECT_EQ(message, (std::array<int, 3>{4711, 15, 1}));
  EXPECT_EQ(read(ends[0], message.data(), sizeof(message)), -1);
  close(ends[0]);
  close(ends[1]);
}

TEST(MasterStatus, AFullSocketIsTriedAgain) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
  const std::vector<char> filler(4096);
  while (write(ends[1], filler.data(), filler.size()) > 0) {
  }
  MasterStatus status(ends[1], 1, 1);
  EXPECT_EQ(status.ReportServed(), StatusWrite::kWouldBlock);
  EXPECT_FALSE(status.served_reported());
  std::vector<char> sink(1 << 20);
  while (read(ends[0], sink.data(), sink.size()) > 0) {
  }
  EXPECT_EQ(status.ReportServed(), StatusWrite::kSent);
  close(ends[0]);
  close(ends[1]);
}

TEST(MasterStatus, MasterGoneIsNoCrashOnASocketOrAPipe) {
  EXPECT_EXITS_WITH_0(InChild([] {
    signal(SIGPIPE, SIG_DFL);
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return 1;
    close(ends[0]);
    if (MasterStatus(ends[1], 1, 1).ReportServed() != StatusWrite::kMasterGone) return 2;
    if (pipe(ends) != 0) return 3;
    if (MasterStatus(ends[1], 1, 1).ReportServed() != StatusWrite::kSent) return 4;
    close(ends[0]);
    if (MasterStatus(ends[1], 1, 1).ReportServed() != StatusWrite::kMasterGone) return 5;
    sigset_t pending;
    sigpending(&pending);
    return sigismember(&pending, SIGPIPE) == 0 ? 0 : 6;
  }));
}

TEST(Privileges, RootBecomesTheMailOwnerForGood) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  if (getpwnam("postfix") == nullptr) GTEST_SKIP() << "needs the user postfix";
  EXPECT_EXITS_WITH_0(InChild([] {
    const auto account = FindAccount("postfix");
    if (!std::holds_alternative<Account>(account)) return 1;
    const Account& postfix = std::get<Account>(account);
    if (DropPrivileges(postfix)) return 2;
    if (getuid() != postfix.uid || geteuid() != postfix.uid || getegid() != postfix.gid) return 3;
    if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0) return 4;
    if (open("/etc/shadow", O_RDONLY) >= 0) return 5;
    // Root's supplementary groups are gone.
    std::array<gid_t, 64> groups{};
    const int count = getgroups(groups.size(), groups.data());
    for (int i = 0; i < count; ++i) {
      if (groups[i] == 0) return 6;
    }
    return DropPrivileges(postfix) ? 7 : 0;  // it already is that user
  }));
}

TEST(Privileges, AnotherUserCannotBecomeTheMailOwner) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  EXPECT_EXITS_WITH_0(InChild([] {
    if (setgid(65534) != 0 || setuid(65534) != 0) return 1;
    const auto error = DropPrivileges({"postfix", 12345, 12345});
    return error && error->text.find("not as root") != std::string::npos ? 0 : 2;
  }));
}

TEST(Privileges, RootAndUnknownUsersAreRefused) {
  EXPECT_TRUE(std::holds_alternative<PrivilegeError>(FindAccount("root")));
  const auto unknown = FindAccount("no-such-user-here");
  ASSERT_TRUE(std::holds_alternative<PrivilegeError>(unknown));
  EXPECT_NE(std::get<PrivilegeError>(unknown).text.find("no-such-user-here"), std::string::npos);
}

TEST(SocketActivation, OnlyWhatIsMeantForThisProcessCounts) {
  EXPECT_EQ(std::get<int>(ParseListenFds(nullptr, nullptr, 100)), 0);
  EXPECT_EQ(std::get<int>(ParseListenFds("100", nullptr, 100)), 0);
  EXPECT_EQ(std::get<int>(ParseListenFds(nullptr, "1", 100)), 0);
  EXPECT_EQ(std::get<int>(ParseListenFds("99", "1", 100)), 0);
  EXPECT_EQ(std::get<int>(ParseListenFds("100", "2", 100)), 2);
  for (const char* bad : {"", "0", "-1", "x", "1 ", "1001", "99999999999999999999"}) {
    EXPECT_TRUE(std::holds_alternative<ActivationError>(ParseListenFds("100", bad, 100))) << bad;
  }
  EXPECT_TRUE(std::holds_alternative<ActivationError>(ParseListenFds("self", "1", 100)));
}

TEST(SocketActivation, SocketsAreTakenOverAndChildrenDoNotSeeTheVariables) {
  EXPECT_EXITS_WITH_0(InChild([] {
    const int listener = fcntl(Listener(), F_DUPFD, 100);
    if (dup2(listener, 3) != 3) return 1;
    setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
    setenv("LISTEN_FDS", "1", 1);
    setenv("LISTEN_FDNAMES", "proxymap", 1);
    const auto result = AdoptActivatedSockets();
    const auto* sockets = std::get_if<std::vector<int>>(&result);
    if (sockets == nullptr || *sockets != std::vector<int>{3}) return 2;
    if ((fcntl(3, F_GETFD) & FD_CLOEXEC) == 0 || (fcntl(3, F_GETFL) & O_NONBLOCK) == 0) return 3;
    if (getenv("LISTEN_PID") || getenv("LISTEN_FDS") || getenv("LISTEN_FDNAMES")) return 4;
    const auto again = AdoptActivatedSockets();
    return std::get<std::vector<int>>(again).empty() ? 0 : 5;
  }));
}

TEST(SocketActivation, ADescriptorThatIsNoListenerIsAnError) {
  EXPECT_EXITS_WITH_0(InChild([] {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return 1;
    const int high = fcntl(ends[0], F_DUPFD, 100);
    if (dup2(high, 3) != 3) return 2;
    setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
    setenv("LISTEN_FDS", "1", 1);
    return std::holds_alternative<ActivationError>(AdoptActivatedSockets()) ? 0 : 3;
  }));
}

TEST(Watchdog, AStuckProcessIsEndedEvenWhereTheSignalWasBlockedOrIgnored) {
  const int status = InChild([] {
    signal(SIGALRM, SIG_IGN);
    sigset_t alarm_only;
    sigemptyset(&alarm_only);
    sigaddset(&alarm_only, SIGALRM);
    sigprocmask(SIG_BLOCK, &alarm_only, nullptr);
    const Watchdog watchdog(std::chrono::seconds(1), Watchdog::Clock::now());
    for (;;) pause();
    return 0;
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGALRM);
}

TEST(Watchdog, ALoopThatTurnsLives) {
  EXPECT_EXITS_WITH_0(InChild([] {
    Watchdog watchdog(std::chrono::seconds(1), Watchdog::Clock::now());
    const auto end = Watchdog::Clock::now() + std::chrono::milliseconds(1600);
    while (Watchdog::Clock::now() < end) watchdog.Rearm(Watchdog::Clock::now());
    return 0;
  }));
}

}  // namespace
}  // namespace proxymux::proxy
