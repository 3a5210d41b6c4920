// The name of a listening socket: ours, or a successor's.
#include "proxy/process/socket_name.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "proxy/uv/uv_listener.h"
#include "tests/harness/temp_directory.h"

namespace proxymux::proxy {
namespace {

class SocketNameTest : public testing::Test {
 protected:
  int Listen(const std::string& path) {
    std::string error;
    const int fd = ListenUnix(path, &error);
    EXPECT_GE(fd, 0) << error;
    return fd;
  }

  harness::TempDirectory directory_;
  const std::string path_ = directory_.path() + "/s";
};

TEST_F(SocketNameTest, IsRemovedOnce) {
  const int fd = Listen(path_);
  SocketName name(path_);
  name.Remove();
  EXPECT_FALSE(std::filesystem::exists(path_));
  name.Remove();
  close(fd);
}

TEST_F(SocketNameTest, ASuccessorsSocketIsLeftAlone) {
  const int first = Listen(path_);
  SocketName name(path_);
  const int second = Listen(directory_.path() + "/new");
  std::filesystem::rename(directory_.path() + "/new", path_);
  name.Remove();
  EXPECT_TRUE(std::filesystem::exists(path_));
  close(first);
  close(second);
}

// Somebody who may write to the directory puts another file in the place of the socket.
TEST_F(SocketNameTest, AnotherFileOfThatNameIsNeverGivenAway) {
  const std::string victim = directory_.path() + "/victim";
  std::ofstream(victim) << "secret";
  const auto owner = [&victim] {
    struct stat info {};
    EXPECT_EQ(stat(victim.c_str(), &info), 0);
    return info.st_uid;
  };
  const uid_t before = owner();
  const int fd = Listen(path_);
  SocketName name(path_);
  // Between the look and the change, and before the first look.
  for (const bool late : {true, false}) {
    for (const bool symbolic : {true, false}) {
      unlink(path_.c_str());
      if (symbolic) {
        std::filesystem::create_symlink(victim, path_);
      } else {
        std::filesystem::create_hard_link(victim, path_);
      }
      SocketName planted = late ? name : SocketName(path_);
      planted.GiveTo(12345, 12345);
      EXPECT_EQ(owner(), before) << symbolic;
    }
  }
  close(fd);
}

TEST_F(SocketNameTest, IsGivenToAnotherAccount) {
  ASSERT_EQ(geteuid(), 0U) << "run it as root";
  const int fd = Listen(path_);
  SocketName name(path_);
  name.GiveTo(12345, 12346);
  struct stat info {};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 12345U);
  EXPECT_EQ(info.st_gid, 12346U);
  name.Remove();
  EXPECT_FALSE(std::filesystem::exists(path_));
  close(fd);
}

TEST_F(SocketNameTest, AListenerIsKnownByAnyNameThatLeadsToIt) {
  const int fd = Listen(path_);
  std::filesystem::create_symlink(path_, directory_.path() + "/link");
  EXPECT_TRUE(IsNameOf(path_, fd));
  EXPECT_TRUE(IsNameOf(directory_.path() + "/link", fd));
  EXPECT_FALSE(IsNameOf(directory_.path() + "/other", fd));
  const int other = Listen(directory_.path() + "/other");
  EXPECT_FALSE(IsNameOf(directory_.path() + "/other", fd));
  close(fd);
  close(other);
}

TEST_F(SocketNameTest, ASocketOfAnotherKindHasNoSuchName) {
  const int fd = Listen(path_);
  const int internet = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_GE(internet, 0);
  EXPECT_FALSE(IsNameOf(path_, internet));
  int pair[2] = {-1, -1};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  EXPECT_FALSE(IsNameOf(path_, pair[0])) << "it has no name at all";
  for (const int each : {fd, internet, pair[0], pair[1]}) close(each);
}

}  // namespace
}  // namespace proxymux::proxy
