// Which lookups are slow, and what is said of them. Time is the test's.
#include "proxy/requests/slow_lookups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/proxy/requests/router_fixture.h"

namespace proxymux::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

class SlowLookupsTest : public RouterFixture {
 protected:
  SlowLookupsTest() {
    current_.table = std::make_shared<ServedTable>();
    current_.table->name = kTable;
    current_.began = kBegan;
  }
  void Known(milliseconds usual) {
    for (int i = 0; i < 100; ++i) current_.table->counters.latency.Record(usual);
  }
  void Note(milliseconds took, milliseconds at_server, const std::string& host = "db1",
            bool no_host = false) {
    pgsql::Answer answer{pgsql::Outcome::kNotFound, {}, {}};
    answer.no_host = no_host;
    answer.origin.host = host;
    answer.origin.time = at_server;
    answer.key = "user@example.com";
    slow_.Note(answer, current_, kBegan + took);
  }
  std::vector<SlowLookup> Latest() const { return slow_.Latest(kBegan + seconds(60)); }

  static constexpr pgsql::RealTime kBegan{std::chrono::hours(1)};
  CurrentRequest current_;
  SlowLookups slow_{&world_->log};
};

TEST_F(SlowLookupsTest, OneThatTookLongIsTold) {
  Note(milliseconds(499), milliseconds(499));
  EXPECT_TRUE(Latest().empty());
  Note(milliseconds(2345), milliseconds(2300));
  ASSERT_EQ(Latest().size(), 1u);
  const SlowLookup lookup = Latest()[0];
  EXPECT_EQ(lookup.table, kTable);
  EXPECT_EQ(lookup.host, "db1");
  EXPECT_EQ(lookup.took, milliseconds(2345));
  EXPECT_EQ(lookup.waited, milliseconds(45));
  EXPECT_EQ(lookup.age, seconds(60) - milliseconds(2345));
  EXPECT_EQ(lookup.usual, std::nullopt);
  EXPECT_EQ(current_.table->counters.slow, 1u);
  const std::string log = world_->lines.TakeText();
  EXPECT_THAT(log, HasSubstr("table pgsql:/a.cf: a lookup took 2345 ms: 45 ms until it was sent to "
                             "host db1, 2300 ms there"));
  EXPECT_EQ(log.find("user@example.com"), std::string::npos);
}

TEST_F(SlowLookupsTest, WhatIsUsualForItsTableIsNotSlow) {
  Known(milliseconds(200));
  Note(milliseconds(1900), milliseconds(1900));
  EXPECT_TRUE(Latest().empty());
  Note(milliseconds(2600), milliseconds(2600));
  ASSERT_EQ(Latest().size(), 1u);
  EXPECT_GE(Latest()[0].usual, milliseconds(200));
  EXPECT_THAT(world_->lines.TakeText(), HasSubstr("; half of them take 200.0 ms at most"));
}

TEST_F(SlowLookupsTest, OneThatNoServerAnsweredHasWaitedAllTheTime) {
  Note(seconds(20), milliseconds(0), "");
  ASSERT_EQ(Latest().size(), 1u);
  EXPECT_EQ(Latest()[0].waited, seconds(20));
  EXPECT_THAT(world_->lines.TakeText(), HasSubstr("took 20000 ms: no server has answered it"));
}

TEST_F(SlowLookupsTest, OneThatWaitedInAnOutageIsNone) {
  Note(seconds(5), milliseconds(0), "", true);
  EXPECT_TRUE(Latest().empty());
  EXPECT_EQ(current_.table->counters.slow, 0u);
  EXPECT_EQ(world_->lines.TakeText(), "");
}

TEST_F(SlowLookupsTest, TheRuleSaysWhichAndWhetherKeysAreShown) {
  slow_.SetRule({.least = milliseconds(0), .times = 10, .shows_keys = true});
  Note(seconds(20), seconds(20));
  EXPECT_TRUE(Latest().empty());
  slow_.SetRule({.least = milliseconds(100), .times = 1, .shows_keys = true});
  Known(milliseconds(90));
  Note(milliseconds(100), milliseconds(100));
  EXPECT_EQ(Latest().size(), 1u);
  EXPECT_THAT(world_->lines.TakeText(), HasSubstr("; key \"user@example.com\""));
}

TEST_F(SlowLookupsTest, OnlyTheLatestAreKept) {
  for (int i = 0; i < 30; ++i) Note(seconds(1) + milliseconds(i), milliseconds(0));
  ASSERT_EQ(Latest().size(), SlowLookups::kKept);
  EXPECT_EQ(Latest().front().took, milliseconds(1029));
  EXPECT_EQ(Latest().back().took, milliseconds(1010));
}

}  // namespace
}  // namespace proxymux::proxy
