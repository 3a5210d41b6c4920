// How many files may be open: the limit is raised as far as the system allows, never lowered.
#include "proxy/process/descriptor_limit.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>

namespace proxymux::proxy {
namespace {

class DescriptorLimitTest : public ::testing::Test {
 protected:
  DescriptorLimitTest() { getrlimit(RLIMIT_NOFILE, &before_); }
  ~DescriptorLimitTest() override { setrlimit(RLIMIT_NOFILE, &before_); }
  static rlim_t Now() {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
  }
  rlimit before_{};
};

TEST_F(DescriptorLimitTest, WhatIsThereAlreadyStays) {
  EXPECT_EQ(RaiseDescriptorLimit(1), before_.rlim_cur);
  EXPECT_EQ(Now(), before_.rlim_cur);
}

TEST_F(DescriptorLimitTest, TheSoftLimitIsRaised) {
  const rlimit low{100, before_.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  EXPECT_EQ(RaiseDescriptorLimit(150), 150u);
  EXPECT_EQ(Now(), 150u);
}

// More than the kernel allows anybody (fs.nr_open): what the hard limit has is taken.
TEST_F(DescriptorLimitTest, TooMuchGivesAsMuchAsThereIs) {
  const rlimit low{100, before_.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  const std::size_t wanted = std::size_t{1} << 40;
  const std::size_t raised = RaiseDescriptorLimit(wanted);
  EXPECT_EQ(raised, Now());
  EXPECT_EQ(raised, std::min<std::size_t>(wanted, before_.rlim_max));
}

}  // namespace
}  // namespace proxymux::proxy
