// How many columns there are: on a terminal, in a file, and when the user says so.
#include "proxy/text/terminal_width.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

#include "proxy/text/text_grid.h"

namespace proxymux::proxy {
namespace {

TEST(OutputWidth, ColumnsThenTheTerminalAndNoLimitForAFile) {
  const int file = open("/dev/null", O_WRONLY | O_CLOEXEC);
  EXPECT_EQ(OutputWidth(file, nullptr), kUnlimitedWidth);
  EXPECT_EQ(OutputWidth(file, "132"), 132u);
  EXPECT_EQ(OutputWidth(file, "10"), kLeastWidth);
  for (const char* bad : {"", "0", "wide", "-5", "80x"}) {
    EXPECT_EQ(OutputWidth(file, bad), kUnlimitedWidth) << bad;
  }
  close(file);
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
  ASSERT_GE(terminal, 0);
  ASSERT_EQ(unlockpt(terminal), 0);
  const int user = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_GE(user, 0);
  EXPECT_EQ(OutputWidth(user, nullptr), 80u) << "it does not tell";
  winsize size{};
  size.ws_col = 117;
  ASSERT_EQ(ioctl(terminal, TIOCSWINSZ, &size), 0);
  EXPECT_EQ(OutputWidth(user, nullptr), 117u);
  EXPECT_EQ(OutputWidth(user, "90"), 90u);
  close(user);
  close(terminal);
}

}  // namespace
}  // namespace proxymux::proxy
