// How a file of Postfix's is replaced: what stays, who is locked out, and what is kept.
#include "proxy/install/config_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/harness/temp_directory.h"

namespace proxymux::proxy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ConfigFileTest : public testing::Test {
 protected:
  void SetUp() override {
    harness::WriteFile(path_, "a = b\n");
    ASSERT_EQ(file_.Read(path_), std::nullopt);
  }
  std::string Text() const { return harness::ReadFile(path_); }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory_ / "")) {
      names.push_back(entry.path().filename());
    }
    return names;
  }

  harness::TempDirectory directory_;
  const std::string path_ = directory_ / "main.cf";
  ConfigFile file_;
};

TEST_F(ConfigFileTest, IsReplaced) {
  EXPECT_EQ(file_.text(), "a = b\n");
  EXPECT_EQ(file_.Replace("c = d\n"), std::nullopt);
  EXPECT_EQ(Text(), "c = d\n");
  EXPECT_EQ(file_.text(), "c = d\n");
  EXPECT_EQ(file_.Replace("e = f\n"), std::nullopt) << "and once more";
  EXPECT_THAT(Names(), ElementsAre("main.cf"));
}

TEST_F(ConfigFileTest, OwnerModeAndLinkStay) {
  std::filesystem::rename(path_, directory_ / "real.cf");
  std::filesystem::create_symlink("real.cf", path_);
  ASSERT_EQ(::chmod(path_.c_str(), 0640), 0);
  ASSERT_EQ(::chown(path_.c_str(), 1, 2), 0);
  ASSERT_EQ(file_.Read(path_), std::nullopt);
  ASSERT_EQ(file_.Replace("c = d\n"), std::nullopt);
  EXPECT_TRUE(std::filesystem::is_symlink(path_));
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0640U);
  EXPECT_EQ(status.st_uid, 1U);
  EXPECT_EQ(status.st_gid, 2U);
  EXPECT_EQ(Text(), "c = d\n");
}

TEST_F(ConfigFileTest, WhatSomebodyElseHasChangedIsNotReplaced) {
  EXPECT_EQ(file_.Changed(), std::nullopt);
  harness::WriteFile(path_, "theirs = 1\n");
  ASSERT_TRUE(file_.Changed().has_value());
  EXPECT_THAT(file_.Replace("ours = 1\n").value_or(""),
              HasSubstr("main.cf: was changed by somebody else"));
  EXPECT_EQ(Text(), "theirs = 1\n");
  EXPECT_THAT(Names(), ElementsAre("main.cf"));
}

// As postconf(1) holds it while it edits.
TEST_F(ConfigFileTest, WhoEditsItAtThisMomentIsLeftAlone) {
  const std::string held = path_ + ".tmp";
  const int fd = ::open(held.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_EQ(::flock(fd, LOCK_EX), 0);
  EXPECT_THAT(file_.Replace("ours = 1\n").value_or(""), HasSubstr("try again"));
  EXPECT_EQ(Text(), "a = b\n");
  EXPECT_TRUE(std::filesystem::exists(held));
  ::close(fd);
  EXPECT_EQ(file_.Replace("ours = 1\n"), std::nullopt) << "one that is left over holds nobody up";
  EXPECT_EQ(Text(), "ours = 1\n");
}

// What a crash may leave behind: a second name of the file itself.
TEST_F(ConfigFileTest, ASecondNameOfItIsNotEmptied) {
  std::filesystem::create_hard_link(path_, path_ + ".tmp");
  EXPECT_EQ(file_.Replace("ours = 1\n"), std::nullopt);
  EXPECT_EQ(Text(), "ours = 1\n");
  EXPECT_THAT(Names(), ElementsAre("main.cf"));
}

TEST_F(ConfigFileTest, ALinkThatLeadsElsewhereMeanwhileHasChanged) {
  std::filesystem::rename(path_, directory_ / "real.cf");
  std::filesystem::create_symlink("real.cf", path_);
  ASSERT_EQ(file_.Read(path_), std::nullopt);
  std::filesystem::remove(path_);
  harness::WriteFile(path_, "a = b\n");
  EXPECT_TRUE(file_.Changed().has_value());
}

TEST_F(ConfigFileTest, CopiesAreKept) {
  EXPECT_EQ(file_.kept(), "");
  ASSERT_EQ(file_.Keep(), std::nullopt);
  const std::string first = file_.kept();
  ASSERT_EQ(file_.Replace("c = d\n"), std::nullopt);
  ASSERT_EQ(file_.Keep(), std::nullopt);
  EXPECT_EQ(harness::ReadFile(first), "a = b\n");
  EXPECT_EQ(harness::ReadFile(file_.kept()), "c = d\n");
  for (const char* other : {"main.cf.proxymux-new", "main.cf.proxymux-20200101T000000Z.dpkg-old",
                            "master.cf.proxymux-20200101T000000Z"}) {
    harness::WriteFile(directory_ / other, "");
  }
  harness::WriteFile(directory_ / "main.cf.proxymux-20200101T000000Z", "");
  EXPECT_THAT(KeptCopies(path_),
              ElementsAre(file_.kept(), first, directory_ / "main.cf.proxymux-20200101T000000Z"));
}

TEST_F(ConfigFileTest, WhatIsNotThere) {
  ConfigFile other;
  EXPECT_THAT(other.Read(directory_ / "none.cf").value_or(""), HasSubstr("none.cf: No such file"));
  std::filesystem::remove(path_);
  EXPECT_TRUE(file_.Changed().has_value());
  EXPECT_TRUE(file_.Replace("x\n").has_value());
}

}  // namespace
}  // namespace proxymux::proxy
