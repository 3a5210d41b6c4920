// When a table gets another relay, and when a relay goes.
#include <gtest/gtest.h>

#include <chrono>

#include "proxy/relay/domain_tables.h"
#include "tests/proxy/relay/domain_tables_fixture.h"

namespace proxymux::proxy {
namespace {

using std::chrono::seconds;

class DomainTablesRelayTest : public DomainTablesTest {};

// --- A table that its daemons cannot open ---

TEST_F(DomainTablesRelayTest, ATableThatFailedIsAskedOfANewDaemonASecondLater) {
  Answered(Reply(2));
  Answered(Reply(2));
  EXPECT_EQ(made_.size(), 1u) << "not at once";
  loop_.Advance(seconds(1));
  EXPECT_EQ(Answered(Reply(0, "x")).kind, Kind::kFound);
  ASSERT_EQ(made_.size(), 2u);
  EXPECT_NE(made(0).relay.stopping, nullptr);
  tables_->Sweep({kHash});
  EXPECT_FALSE(made(0).exists);
  loop_.Advance(seconds(10));
  Answered(Reply(0, "x"));
  EXPECT_EQ(made_.size(), 2u) << "one that works stays";
}

TEST_F(DomainTablesRelayTest, WhoWaitsAtTheOldDaemonStillGetsItsAnswer) {
  const auto slow = Ask(kHash);
  const auto failed = Ask(kHash);
  made(0).relay.Reply(1, Reply(2));
  loop_.Advance(seconds(1));
  const auto fresh = Ask(kHash);
  ASSERT_EQ(made_.size(), 2u);
  tables_->Sweep({kHash});
  EXPECT_EQ(made(0).relay.stopping, nullptr) << "somebody waits there";
  made(0).relay.Reply(0, Reply(1));
  EXPECT_EQ(slow->answer->kind, Kind::kNotFound);
  tables_->Sweep({kHash});
  EXPECT_NE(made(0).relay.stopping, nullptr);
}

TEST_F(DomainTablesRelayTest, OldDaemonsDoNotPileUp) {
  const auto stuck = Ask(kHash);
  for (int i = 0; i < 5; ++i) {
    Answered(Reply(2));
    loop_.Advance(seconds(2));
    tables_->Sweep({kHash});
  }
  EXPECT_EQ(made_.size(), 2u) << "the first is not gone yet";
  made(0).relay.Reply(0, Reply(2));
  tables_->Sweep({kHash});  // told to end
  tables_->Sweep({kHash});  // gone
  Answered(Reply(2));
  EXPECT_EQ(made_.size(), 3u);
}

TEST_F(DomainTablesRelayTest, ADaemonThatEndsIsTheRelaysOwnBusiness) {
  const auto question = Ask(kHash);
  made(0).relay.Fail(0, "it died");
  loop_.Advance(seconds(2));
  const auto next = Ask(kHash);
  EXPECT_EQ(made_.size(), 1u);
}

// --- Letting go ---

TEST_F(DomainTablesRelayTest, WhatNoListNamesAnyMoreGoesWhenNobodyWaits) {
  const auto question = Ask(kHash), other = Ask("static:x");
  tables_->Sweep({kHash, "static:x"});
  EXPECT_EQ(made(0).relay.stopping, nullptr);
  tables_->Sweep({"static:x"});
  EXPECT_EQ(made(0).relay.stopping, nullptr);
  made(0).relay.ends_at_once = false;
  made(0).relay.Reply(0, Reply(0, "x"));
  EXPECT_EQ(question->answer->kind, Kind::kFound);
  tables_->Sweep({"static:x"});
  ASSERT_NE(made(0).relay.stopping, nullptr);
  tables_->Sweep({"static:x"});
  EXPECT_TRUE(made(0).exists) << "its daemons have not ended yet";
  made(0).relay.stopping();
  tables_->Sweep({"static:x"});
  EXPECT_FALSE(made(0).exists);
  EXPECT_EQ(made(1).relay.stopping, nullptr);
  const auto again = Ask(kHash);
  EXPECT_EQ(made_.size(), 3u);
}

TEST_F(DomainTablesRelayTest, AReloadReplacesEveryRelay) {
  const auto waiting = Ask(kHash), other = Ask("static:x");
  other->ticket.reset();
  tables_->ReplaceAll();
  EXPECT_NE(made(1).relay.stopping, nullptr);
  EXPECT_EQ(made(0).relay.stopping, nullptr);
  const auto next = Ask(kHash);
  ASSERT_EQ(made_.size(), 3u);
  made(0).relay.Reply(0, Reply(1));
  EXPECT_EQ(waiting->answer->kind, Kind::kNotFound);
  tables_->Sweep({kHash, "static:x"});
  EXPECT_NE(made(0).relay.stopping, nullptr);
  EXPECT_EQ(tables_->waiting(), 1u);
}

TEST_F(DomainTablesRelayTest, DrainReachesOldAndNewRelays) {
  const auto one = Ask(kHash);
  tables_->ReplaceAll();
  const auto two = Ask(kHash);
  tables_->Drain();
  const auto three = Ask("static:x");
  for (const Made& each : made_) EXPECT_TRUE(each.relay.drained) << each.table;
}

TEST_F(DomainTablesRelayTest, StopIsOverWhenEveryDaemonIsGone) {
  const auto one = Ask(kHash), two = Ask("static:x");
  tables_->ReplaceAll();
  const auto three = Ask(kHash);
  for (Made& each : made_) each.relay.ends_at_once = false;
  int stopped = 0;
  tables_->Stop([&] { ++stopped; });
  for (Made& each : made_) {
    EXPECT_EQ(stopped, 0);
    ASSERT_NE(each.relay.stopping, nullptr);
    each.relay.stopping();
  }
  EXPECT_EQ(stopped, 1);
}

TEST_F(DomainTablesRelayTest, StopWithNothingThereIsOverAtOnce) {
  int stopped = 0;
  tables_->Stop([&] { ++stopped; });
  EXPECT_EQ(stopped, 1);
  // A stopped relay fails what it is asked, so a late question goes to one.
  const auto late = Ask(kHash);
  EXPECT_NE(made(0).relay.stopping, nullptr);
  made(0).relay.Fail(0, "stopping");
  EXPECT_EQ(late->answer->reason, "stopping");
  EXPECT_EQ(stopped, 1);
}

}  // namespace
}  // namespace proxymux::proxy
