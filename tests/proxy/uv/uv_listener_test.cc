// The listening socket of the standalone mode: its name and its rights.
#include "proxy/uv/uv_listener.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "tests/harness/socket.h"
#include "tests/harness/temp_directory.h"

namespace proxymux::proxy {
namespace {

using ::testing::HasSubstr;

TEST(ListenUnix, TakesAFreeNameForItsOwnerAndGroup) {
  harness::TempDirectory directory;
  std::string error;
  const int fd = ListenUnix(directory / "s", &error);
  ASSERT_GE(fd, 0) << error;
  struct stat info {};
  ASSERT_EQ(stat((directory / "s").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0660u);
  EXPECT_NO_THROW(harness::Socket::ConnectUnix(directory / "s"));
  close(fd);
}

TEST(ListenUnix, ItsModeIsNotThatOfTheUmask) {
  harness::TempDirectory directory;
  for (const mode_t mask : {0, 022, 077, 0777}) {
    const mode_t before = umask(mask);
    std::string error;
    const int fd = ListenUnix(directory / "s", &error);
    EXPECT_EQ(umask(before), mask);
    ASSERT_GE(fd, 0) << error;
    struct stat info {};
    ASSERT_EQ(stat((directory / "s").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0660u) << mask;
    close(fd);
  }
}

// Somebody who may write to the directory puts a link in the place of the socket as soon as that is
// there: what the link leads to is not ours to open up.
TEST(ListenUnix, WhatIsPutInItsPlaceKeepsItsMode) {
  harness::TempDirectory directory;
  const std::string path = directory / "s", link = directory / "link", victim = directory / "file";
  harness::WriteFile(victim, "precious");
  ASSERT_EQ(chmod(victim.c_str(), 0600), 0);
  std::atomic<bool> done = false;
  std::thread attacker([&] {
    struct stat info {};
    while (!done) {
      if (symlink(victim.c_str(), link.c_str()) != 0 && errno != EEXIST) return;
      while (!done && lstat(path.c_str(), &info) != 0) continue;
      rename(link.c_str(), path.c_str());
    }
  });
  struct stat info {};
  for (int i = 0; i < 3000 && (info.st_mode & 0777) != 0660; ++i) {
    std::string error;
    close(ListenUnix(path, &error));
    unlink(path.c_str());
    ASSERT_EQ(stat(victim.c_str(), &info), 0);
  }
  done = true;
  attacker.join();
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST(ListenUnix, ReplacesASocketThatNobodyListensOnAndNoOtherFile) {
  harness::TempDirectory directory;
  std::string error;
  close(ListenUnix(directory / "s", &error));
  const int fd = ListenUnix(directory / "s", &error);
  ASSERT_GE(fd, 0) << error;
  EXPECT_EQ(ListenUnix(directory / "s", &error), -1);
  EXPECT_EQ(error, "another process is listening there");
  close(fd);
  harness::WriteFile(directory / "file", "precious");
  EXPECT_EQ(ListenUnix(directory / "file", &error), -1);
  EXPECT_EQ(error, "the name is taken");
  EXPECT_EQ(harness::ReadFile(directory / "file"), "precious");
}

TEST(ListenUnix, OneThatListensButDoesNotAcceptIsInUse) {
  harness::TempDirectory directory;
  const std::string path = directory / "s";
  const sockaddr_un address = harness::UnixAddress(path);
  const int stuck = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(bind(stuck, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(listen(stuck, 0), 0);
  std::vector<int> waiting;
  while (true) {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    waiting.push_back(fd);
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) break;
  }
  std::string error;
  EXPECT_EQ(ListenUnix(path, &error), -1);  // a blocking connect would wait for ever
  EXPECT_EQ(error, "another process is listening there");
  for (const int fd : waiting) close(fd);
  close(stuck);
}

TEST(ListenUnix, SaysWhatIsWrongWithAName) {
  std::string error;
  EXPECT_EQ(ListenUnix("", &error), -1);
  EXPECT_THAT(error, HasSubstr("1 to 107 bytes"));
  EXPECT_EQ(ListenUnix("/" + std::string(107, 'x'), &error), -1);
  EXPECT_THAT(error, HasSubstr("1 to 107 bytes"));
  EXPECT_EQ(ListenUnix("/nonexistent/s", &error), -1);
  EXPECT_EQ(error, "No such file or directory");
}

}  // namespace
}  // namespace proxymux::proxy
