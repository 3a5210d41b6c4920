// Which hosts are out of use, over the life of a process.
#include "proxy/daemon/disabled_hosts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/harness/temp_directory.h"

namespace proxymux::proxy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class DisabledHostsTest : public ::testing::Test {
 protected:
  DisabledHosts Loaded() const {
    DisabledHosts hosts(file_);
    EXPECT_EQ(hosts.Load(), "");
    return hosts;
  }
  void Write(const std::string& text) const { std::ofstream(file_) << text; }

  const harness::TempDirectory directory_;
  const std::string file_ = DisabledHosts::FileOf(directory_.path(), "a/b");
};

TEST_F(DisabledHostsTest, TheFileIsTheServices) {
  EXPECT_EQ(DisabledHosts::FileOf("/var/lib/postfix", "proxymap"),
            "/var/lib/postfix/proxymux-proxymap.disabled");
  EXPECT_TRUE(file_.ends_with("/proxymux-a_b.disabled")) << file_;
}

TEST_F(DisabledHostsTest, TheyOutliveTheProcess) {
  DisabledHosts hosts = Loaded();
  EXPECT_THAT(hosts.names(), IsEmpty());
  EXPECT_EQ(hosts.Disable("db1:5432"), "");
  EXPECT_EQ(hosts.Disable("/run/postgresql"), "");
  EXPECT_EQ(hosts.Disable("db1:5432"), "");
  EXPECT_THAT(hosts.names(), ElementsAre("/run/postgresql", "db1:5432"));
  DisabledHosts next = Loaded();
  EXPECT_EQ(next.names(), hosts.names());
  EXPECT_EQ(next.Enable("db1:5432"), "");
  EXPECT_EQ(next.Enable("db1:5432"), "") << "as often as one likes";
  EXPECT_THAT(Loaded().names(), ElementsAre("/run/postgresql"));
}

TEST_F(DisabledHostsTest, WhatAPersonWroteIsRead) {
  Write("# since Tuesday\n\ndb2\n");
  EXPECT_THAT(Loaded().names(), ElementsAre("db2"));
}

TEST_F(DisabledHostsTest, ANameThatTheFileCannotHoldIsRefused) {
  DisabledHosts hosts = Loaded();
  for (const char* name : {"", "#x", "a\nb"}) {
    EXPECT_THAT(hosts.Disable(name), HasSubstr("cannot be disabled"));
  }
  EXPECT_THAT(hosts.names(), IsEmpty());
}

TEST_F(DisabledHostsTest, WhatCannotBeWrittenChangesNothing) {
  DisabledHosts hosts = Loaded();
  EXPECT_EQ(hosts.Disable("db1"), "");
  std::filesystem::create_directory(file_ + ".new");
  EXPECT_THAT(hosts.Disable("db2"), HasSubstr(file_ + ": cannot be written: "));
  EXPECT_THAT(hosts.names(), ElementsAre("db1"));
  EXPECT_THAT(Loaded().names(), ElementsAre("db1"));
}

// Somebody else's link is not written through.
TEST_F(DisabledHostsTest, ALinkIsNotFollowed) {
  Write("");
  DisabledHosts hosts = Loaded();
  const std::string target = directory_.path() + "/target";
  std::filesystem::create_symlink(target, file_ + ".new");
  EXPECT_NE(hosts.Disable("db1"), "");
  EXPECT_FALSE(std::filesystem::exists(target));
}

TEST_F(DisabledHostsTest, WhatCannotBeReadDisablesNone) {
  std::filesystem::create_directory(file_);
  DisabledHosts hosts(file_);
  EXPECT_THAT(hosts.Load(), HasSubstr(file_ + ": cannot be read: "));
  EXPECT_THAT(hosts.names(), IsEmpty());
}

}  // namespace
}  // namespace proxymux::proxy
