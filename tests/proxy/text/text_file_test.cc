// What may stand where a table file is expected.
#include "proxy/text/text_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/harness/temp_directory.h"

namespace proxymux::proxy {
namespace {

class TextFileTest : public ::testing::Test {
 protected:
  std::string ErrorFor(const std::string& path) {
    std::string error;
    EXPECT_FALSE(ReadTextFile(path, &error).has_value()) << path;
    return error;
  }
  harness::TempDirectory directory_;
};

TEST_F(TextFileTest, IsReadByteForByte) {
  const std::string text("query = SELECT\0 1\r\n\xff", 20);
  harness::WriteFile(directory_ / "x.cf", text);
  std::string error;
  EXPECT_EQ(ReadTextFile(directory_ / "x.cf", &error), text);
  harness::WriteFile(directory_ / "empty.cf", "");
  EXPECT_EQ(ReadTextFile(directory_ / "empty.cf", &error), "");
}

TEST_F(TextFileTest, OneThatIsNotThereSaysSo) {
  EXPECT_EQ(ErrorFor(directory_ / "none.cf"), "No such file or directory");
  EXPECT_EQ(ErrorFor(directory_ / "none/x.cf"), "No such file or directory");
}

TEST_F(TextFileTest, FifoDoesNotHoldUpTheProcess) {
  // A plain open(2) would wait here for a writer, for ever.
  ASSERT_EQ(mkfifo((directory_ / "fifo").c_str(), 0644), 0);
  EXPECT_EQ(ErrorFor(directory_ / "fifo"), "not a plain file");
}

TEST_F(TextFileTest, DirectoriesAndDevicesAreRefused) {
  EXPECT_EQ(ErrorFor(directory_.path()), "not a plain file");
  EXPECT_EQ(ErrorFor("/dev/zero"), "not a plain file");
}

TEST_F(TextFileTest, UpToTheLimitIsReadAndOneByteMoreIsNot) {
  harness::WriteFile(directory_ / "x.cf", std::string(kMaxTextFile, '#'));
  std::string error;
  const auto text = ReadTextFile(directory_ / "x.cf", &error);
  ASSERT_TRUE(text.has_value()) << error;
  EXPECT_EQ(text->size(), kMaxTextFile);
  std::filesystem::resize_file(directory_ / "x.cf", kMaxTextFile + 1);
  EXPECT_EQ(ErrorFor(directory_ / "x.cf"), "larger than 8MiB");
}

TEST_F(TextFileTest, SymbolicLinksAreFollowedAndLoopsAreAnError) {
  harness::WriteFile(directory_ / "x.cf", "hosts = a\n");
  std::filesystem::create_symlink("x.cf", directory_ / "link");
  std::string error;
  EXPECT_EQ(ReadTextFile(directory_ / "link", &error), "hosts = a\n");
  std::filesystem::create_symlink("loop", directory_ / "loop");
  EXPECT_EQ(ErrorFor(directory_ / "loop"), "Too many levels of symbolic links");
}

}  // namespace
}  // namespace proxymux::proxy
