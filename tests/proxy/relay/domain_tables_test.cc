// Which relay a type:table member is asked through, what is asked, and what a reply means.
#include "proxy/relay/domain_tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "protocol/dialect.h"
#include "proxy/relay/domain_lookup.h"
#include "tests/proxy/relay/domain_tables_fixture.h"
#include "tests/proxy/requests/router_world.h"

namespace proxymux::proxy {
namespace {

using std::string_literals::operator""s;
using ::testing::HasSubstr;

TEST_F(DomainTablesTest, EachTableHasARelayFromItsFirstQuestionOn) {
  EXPECT_TRUE(tables_->empty());
  const auto one = Ask(kHash), two = Ask("inline:{a=b, c=d}"), three = Ask(kHash);
  ASSERT_EQ(made_.size(), 2u);
  EXPECT_EQ(made(0).table, kHash);
  EXPECT_EQ(made(0).relay.count(), 2u);
  EXPECT_EQ(made(0).relay.asked(0).request.table, kHash);
  EXPECT_EQ(made(1).table, "inline:{a=b, c=d}");
  EXPECT_EQ(tables_->waiting(), 3u);
}

TEST_F(DomainTablesTest, LeadingProxyIsTakenOff) {
  const auto one = Ask("proxy:proxy:hash:/h"), two = Ask(kHash);
  ASSERT_EQ(made_.size(), 1u);
  EXPECT_EQ(made(0).table, kHash);
  tables_->Sweep({"proxy:hash:/h"});
  EXPECT_EQ(made(0).relay.stopping, nullptr);
}

TEST_F(DomainTablesTest, TheQuestionIsALookupInTheDialectOfTheInstalledPostfix) {
  const auto legacy = Ask("inline:{a=b, c=d}", "c");
  EXPECT_EQ(Shown(made(0).relay.asked(0).request.list),
            "request=lookup table=inline:{a=b, c=d} flags=524352 key=c");
}

TEST_F(DomainTablesTest, FromPostfix311OnATableIsOpenedFirstAndAskedWithItsFlags) {
  Make(protocol::Dialect::kInstanceFlags);
  auto first = Ask(kHash, "c");
  auto gone = Ask(kHash, "gone");  // while it is being opened
  ScriptedRelay& relay = made(0).relay;
  EXPECT_EQ(Shown(relay.asked(0).request.list), "request=open table=hash:/h instance_flags=524352");
  gone.reset();
  EXPECT_FALSE(relay.asked(1).wanted);
  relay.Reply(0, List({{"status", "0"}, {"flags", "524380"}}));
  ASSERT_EQ(relay.count(), 3u);
  EXPECT_EQ(Shown(relay.asked(2).request.list),
            "request=lookup table=hash:/h instance_flags=524352 flags=524380 key=c");
  relay.Reply(2, List({{"status", "0"}, {"flags", "524380"}, {"value", "x"}}));
  EXPECT_EQ(first->answer->kind, Kind::kFound);
  const auto next = Ask(kHash, "d");  // it is open
  EXPECT_EQ(Shown(relay.asked(3).request.list),
            "request=lookup table=hash:/h instance_flags=524352 flags=524380 key=d");
  relay.Reply(3, List({{"status", "1"}, {"flags", "524380"}, {"value", ""}}));
  EXPECT_EQ(next->answer->kind, Kind::kNotFound);
  EXPECT_EQ(tables_->waiting(), 0u);
}

TEST_F(DomainTablesTest, WhatCannotBeOpenedIsAFailure) {
  Make(protocol::Dialect::kInstanceFlags);
  auto refused = Ask(kHash), lost = Ask(kHash);
  made(0).relay.Reply(0, List({{"status", "4"}, {"flags", "0"}}));
  EXPECT_EQ(refused->answer->kind, Kind::kFailed);
  EXPECT_THAT(refused->answer->reason, HasSubstr("answered DENY"));
  made(0).relay.Fail(1, "it died");
  EXPECT_EQ(lost->answer->reason, "it died");
  // Not there, or a stand-in of a table that this daemon cannot open (SURROGATE).
  for (const auto& [status, flags] : {std::pair("1", "524380"), {"0", "4718656"}}) {
    const auto question = Ask(kHash);
    ScriptedRelay& relay = made_.back().relay;
    EXPECT_THAT(Shown(relay.asked(relay.count() - 1).request.list), HasSubstr("request=open"));
    relay.Reply(relay.count() - 1, List({{"status", status}, {"flags", flags}}));
    EXPECT_EQ(question->answer->kind, Kind::kFailed) << flags;
    EXPECT_THAT(question->answer->reason, HasSubstr("cannot open it"));
  }
  const auto again = Ask(kHash);
  EXPECT_THAT(Shown(made_.back().relay.asked(made_.back().relay.count() - 1).request.list),
              HasSubstr("request=open"));
}

TEST_F(DomainTablesTest, AnyResultIsAMatchAndNoKeyIsNone) {
  EXPECT_EQ(Answered(Reply(0, "x")).kind, Kind::kFound);
  EXPECT_EQ(Answered(Reply(0)).kind, Kind::kFound) << "an empty result is one";
  EXPECT_EQ(Answered(Reply(1)).kind, Kind::kNotFound);
}

TEST_F(DomainTablesTest, AnythingElseIsAFailureThatSaysWhy) {
  for (const auto& [status, name] :
       {std::pair(2, "RETRY"), {3, "BAD"}, {4, "DENY"}, {5, "CONFIG"}}) {
    const DomainAnswer answer = Answered(Reply(status));
    EXPECT_EQ(answer.kind, Kind::kFailed);
    EXPECT_THAT(answer.reason, HasSubstr("answered "s + name));
  }
  for (const std::string& odd : {List({{"status", "0"}}), List({{"status", "9"}, {"value", ""}}),
                                 List({{"state", "0"}, {"value", ""}}), "status"s, ""s}) {
    const DomainAnswer answer = Answered(odd);
    EXPECT_EQ(answer.kind, Kind::kFailed) << Shown(odd);
    EXPECT_THAT(answer.reason, HasSubstr("not the form"));
  }
  const auto question = Ask(kHash);
  made(0).relay.Fail(made(0).relay.count() - 1, "it died");
  EXPECT_EQ(question->answer->kind, Kind::kFailed);
  EXPECT_EQ(question->answer->reason, "it died");
}

TEST_F(DomainTablesTest, AQuestionGivenUpIsGivenUpAtTheRelay) {
  const auto one = Ask(kHash), two = Ask(kHash);
  one->ticket.reset();
  EXPECT_FALSE(made(0).relay.asked(0).wanted);
  EXPECT_TRUE(made(0).relay.asked(1).wanted);
  EXPECT_EQ(tables_->waiting(), 1u);
}

TEST_F(DomainTablesTest, ATicketMayOutliveTheTables) {
  const auto question = Ask(kHash);
  tables_.reset();
  EXPECT_FALSE(made(0).exists);
  question->ticket.reset();
}

}  // namespace
}  // namespace proxymux::proxy
