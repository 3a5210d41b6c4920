// The name of a listening socket: ours, or a successor's.
#include "proxy/socket_name.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "proxy/uv_listener.h"
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

}  // namespace
}  // namespace proxymux::proxy
