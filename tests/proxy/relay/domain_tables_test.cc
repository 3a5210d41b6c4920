// Which relay a type:table member is asked through, what is asked, and when a relay goes.
#include "proxy/relay/domain_tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/virtual_event_loop.h"
#include "tests/proxy/requests/router_world.h"

namespace proxymux::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::string_literals::operator""s;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using TableAnswer = pgsql::DomainFilter::TableAnswer;

constexpr char kHash[] = "hash:/h";

// Hands its calls on to a played relay, which the test still sees when this one is gone.
class RelayHandle final : public Relay {
 public:
  RelayHandle(ScriptedRelay* relay, bool* exists) : relay_(relay), exists_(exists) {
    *exists_ = true;
  }
  ~RelayHandle() override { *exists_ = false; }
  std::unique_ptr<SequenceLease> NewLease() override { return relay_->NewLease(); }
  std::unique_ptr<RelayTicket> Submit(RelayRequest request, SequenceLease* lease,
                                      Done done) override {
    return relay_->Submit(std::move(request), lease, std::move(done));
  }
  RelayStatus Status() const override { return relay_->Status(); }
  void Drain() override { relay_->Drain(); }
  void Stop(std::function<void()> stopped) override { relay_->Stop(std::move(stopped)); }

 private:
  ScriptedRelay* const relay_;
  bool* const exists_;
};

class DomainTablesTest : public ::testing::Test {
 protected:
  struct Made {
    std::string table;
    ScriptedRelay relay;
    bool exists = false;
  };
  struct Question {
    std::unique_ptr<RelayTicket> ticket;
    std::optional<DomainAnswer> answer;
  };

  void Make(protocol::Dialect dialect) {
    tables_ = std::make_unique<DomainTables>(
        dialect,
        [this](const std::string& table) {
          made_.emplace_back();
          made_.back().table = table;
          return std::make_unique<RelayHandle>(&made_.back().relay, &made_.back().exists);
        },
        &loop_);
  }
  DomainTablesTest() { Make(protocol::Dialect::kLegacy); }

  std::unique_ptr<Question> Ask(const std::string& member, const std::string& domain = "a") {
    auto question = std::make_unique<Question>();
    question->ticket =
        tables_->Ask(member, domain, [to = question.get()](const DomainAnswer& answer) {
          EXPECT_FALSE(to->answer.has_value()) << "answered twice";
          to->answer = answer;
          to->ticket.reset();  // as the router does
        });
    EXPECT_FALSE(question->answer.has_value()) << "answered from inside Ask()";
    return question;
  }
  Made& made(std::size_t n) { return *std::next(made_.begin(), static_cast<long>(n)); }
  static std::string Reply(int status, const std::string& value = {}) {
    return List({{"status", std::to_string(status)}, {"value", value}});
  }
  // One question, answered so.
  DomainAnswer Answered(const std::string& reply) {
    const auto question = Ask(kHash);
    ScriptedRelay& relay = made_.back().relay;
    relay.Reply(relay.count() - 1, reply);
    return question->answer.value();
  }

  fakes::VirtualEventLoop loop_;
  std::list<Made> made_;
  std::unique_ptr<DomainTables> tables_;
};

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
  EXPECT_EQ(first->answer->answer, TableAnswer::kFound);
  const auto next = Ask(kHash, "d");  // it is open
  EXPECT_EQ(Shown(relay.asked(3).request.list),
            "request=lookup table=hash:/h instance_flags=524352 flags=524380 key=d");
  relay.Reply(3, List({{"status", "1"}, {"flags", "524380"}, {"value", ""}}));
  EXPECT_EQ(next->answer->answer, TableAnswer::kNotFound);
  EXPECT_EQ(tables_->waiting(), 0u);
}

TEST_F(DomainTablesTest, WhatCannotBeOpenedIsAFailure) {
  Make(protocol::Dialect::kInstanceFlags);
  auto refused = Ask(kHash), lost = Ask(kHash);
  made(0).relay.Reply(0, List({{"status", "4"}, {"flags", "0"}}));
  EXPECT_EQ(refused->answer->answer, TableAnswer::kFailed);
  EXPECT_THAT(refused->answer->reason, HasSubstr("answered DENY"));
  made(0).relay.Fail(1, "it died");
  EXPECT_EQ(lost->answer->reason, "it died");
  // Not there, or a stand-in of a table that this daemon cannot open (SURROGATE).
  for (const auto& [status, flags] : {std::pair("1", "524380"), {"0", "4718656"}}) {
    const auto question = Ask(kHash);
    ScriptedRelay& relay = made_.back().relay;
    EXPECT_THAT(Shown(relay.asked(relay.count() - 1).request.list), HasSubstr("request=open"));
    relay.Reply(relay.count() - 1, List({{"status", status}, {"flags", flags}}));
    EXPECT_EQ(question->answer->answer, TableAnswer::kFailed) << flags;
    EXPECT_THAT(question->answer->reason, HasSubstr("cannot open it"));
  }
  const auto again = Ask(kHash);
  EXPECT_THAT(Shown(made_.back().relay.asked(made_.back().relay.count() - 1).request.list),
              HasSubstr("request=open"));
}

TEST_F(DomainTablesTest, AnyResultIsAMatchAndNoKeyIsNone) {
  EXPECT_EQ(Answered(Reply(0, "x")).answer, TableAnswer::kFound);
  EXPECT_EQ(Answered(Reply(0)).answer, TableAnswer::kFound) << "an empty result is one";
  EXPECT_EQ(Answered(Reply(1)).answer, TableAnswer::kNotFound);
}

TEST_F(DomainTablesTest, AnythingElseIsAFailureThatSaysWhy) {
  for (const auto& [status, name] :
       {std::pair(2, "RETRY"), {3, "BAD"}, {4, "DENY"}, {5, "CONFIG"}}) {
    const DomainAnswer answer = Answered(Reply(status));
    EXPECT_EQ(answer.answer, TableAnswer::kFailed);
    EXPECT_THAT(answer.reason, HasSubstr("answered "s + name));
  }
  for (const std::string& odd : {List({{"status", "0"}}), List({{"status", "9"}, {"value", ""}}),
                                 List({{"state", "0"}, {"value", ""}}), "status"s, ""s}) {
    const DomainAnswer answer = Answered(odd);
    EXPECT_EQ(answer.answer, TableAnswer::kFailed) << Shown(odd);
    EXPECT_THAT(answer.reason, HasSubstr("not the form"));
  }
  const auto question = Ask(kHash);
  made(0).relay.Fail(made(0).relay.count() - 1, "it died");
  EXPECT_EQ(question->answer->answer, TableAnswer::kFailed);
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

// --- A table that its daemons cannot open ---

TEST_F(DomainTablesTest, ATableThatFailedIsAskedOfANewDaemonASecondLater) {
  Answered(Reply(2));
  Answered(Reply(2));
  EXPECT_EQ(made_.size(), 1u) << "not at once";
  loop_.Advance(seconds(1));
  EXPECT_EQ(Answered(Reply(0, "x")).answer, TableAnswer::kFound);
  ASSERT_EQ(made_.size(), 2u);
  EXPECT_NE(made(0).relay.stopping, nullptr);
  tables_->Sweep({kHash});
  EXPECT_FALSE(made(0).exists);
  loop_.Advance(seconds(10));
  Answered(Reply(0, "x"));
  EXPECT_EQ(made_.size(), 2u) << "one that works stays";
}

TEST_F(DomainTablesTest, WhoWaitsAtTheOldDaemonStillGetsItsAnswer) {
  const auto slow = Ask(kHash);
  const auto failed = Ask(kHash);
  made(0).relay.Reply(1, Reply(2));
  loop_.Advance(seconds(1));
  const auto fresh = Ask(kHash);
  ASSERT_EQ(made_.size(), 2u);
  tables_->Sweep({kHash});
  EXPECT_EQ(made(0).relay.stopping, nullptr) << "somebody waits there";
  made(0).relay.Reply(0, Reply(1));
  EXPECT_EQ(slow->answer->answer, TableAnswer::kNotFound);
  tables_->Sweep({kHash});
  EXPECT_NE(made(0).relay.stopping, nullptr);
}

TEST_F(DomainTablesTest, OldDaemonsDoNotPileUp) {
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

TEST_F(DomainTablesTest, ADaemonThatEndsIsTheRelaysOwnBusiness) {
  const auto question = Ask(kHash);
  made(0).relay.Fail(0, "it died");
  loop_.Advance(seconds(2));
  const auto next = Ask(kHash);
  EXPECT_EQ(made_.size(), 1u);
}

// --- Letting go ---

TEST_F(DomainTablesTest, WhatNoListNamesAnyMoreGoesWhenNobodyWaits) {
  const auto question = Ask(kHash), other = Ask("static:x");
  tables_->Sweep({kHash, "static:x"});
  EXPECT_EQ(made(0).relay.stopping, nullptr);
  tables_->Sweep({"static:x"});
  EXPECT_EQ(made(0).relay.stopping, nullptr);
  made(0).relay.ends_at_once = false;
  made(0).relay.Reply(0, Reply(0, "x"));
  EXPECT_EQ(question->answer->answer, TableAnswer::kFound);
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

TEST_F(DomainTablesTest, AReloadReplacesEveryRelay) {
  const auto waiting = Ask(kHash), other = Ask("static:x");
  other->ticket.reset();
  tables_->ReplaceAll();
  EXPECT_NE(made(1).relay.stopping, nullptr);
  EXPECT_EQ(made(0).relay.stopping, nullptr);
  const auto next = Ask(kHash);
  ASSERT_EQ(made_.size(), 3u);
  made(0).relay.Reply(0, Reply(1));
  EXPECT_EQ(waiting->answer->answer, TableAnswer::kNotFound);
  tables_->Sweep({kHash, "static:x"});
  EXPECT_NE(made(0).relay.stopping, nullptr);
  EXPECT_EQ(tables_->waiting(), 1u);
}

TEST_F(DomainTablesTest, DrainReachesOldAndNewRelays) {
  const auto one = Ask(kHash);
  tables_->ReplaceAll();
  const auto two = Ask(kHash);
  tables_->Drain();
  const auto three = Ask("static:x");
  for (const Made& each : made_) EXPECT_TRUE(each.relay.drained) << each.table;
}

TEST_F(DomainTablesTest, StopIsOverWhenEveryDaemonIsGone) {
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

TEST_F(DomainTablesTest, StopWithNothingThereIsOverAtOnce) {
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
