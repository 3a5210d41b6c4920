// What a connection is sent for a lookup: the form, the values, and where batches end.
#include "pgsql/pool/statement_sender.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "tests/fakes/scripted_upstream.h"
#include "tests/pgsql/pool/pool_world.h"

namespace proxymux::pgsql {
namespace {

using config::StatementMode;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = Work::Kind;
using Phase = PoolConnection::Phase;
using Strings = std::vector<std::string>;
using Types = std::vector<std::uint32_t>;

constexpr char kQuery[] = "SELECT v FROM t WHERE k = '%s'";

// Owns the works as a pool does, and one connection that is ready.
class StatementSenderTest : public testing::Test, private SenderOwner, private UpstreamObserver {
 protected:
  StatementSenderTest() { Open(); }
  ~StatementSenderTest() override { TakeBack(); }

  void Open() {
    TakeBack();
    auto made = factory.NewConnection(0, this);
    upstream = static_cast<fakes::ScriptedUpstream*>(made.get());
    connection = std::make_unique<PoolConnection>(1, 0, now, std::move(made));
    upstream->Connect();
    upstream->Accept();
    connection->SetPhase(Phase::kShared);
  }

  static std::shared_ptr<TableBinding> Table(StatementMode mode, const std::string& query = kQuery,
                                             WriteClass write_class = WriteClass::kReads) {
    return PoolWorld::Table(query, write_class, mode);
  }
  Work* Lookup(const std::shared_ptr<TableBinding>& table, const std::string& key = "k") {
    Work* work = NewWork(Kind::kLookup, table);
    work->key = key;
    work->script = table->IsScript();
    return work;
  }
  Expansion Expand(Work* work) {
    work->sent = now;
    return sender.Expand(*connection, host, work, now);
  }
  bool Send(Work* work) {
    EXPECT_EQ(Expand(work), Expansion::kDone);
    return sender.SendLookup(*connection, work);
  }
  bool EndBatch() { return sender.EndBatch(*connection); }
  StatementForm FormOf(Work* work) {
    EXPECT_EQ(Expand(work), Expansion::kDone);
    return work->form;
  }
  void AnswerAll() {
    EXPECT_TRUE(EndBatch());
    upstream->AnswerEverything("v");
    TakeBack();
  }

  Time now{std::chrono::hours(1)};
  PoolHost host{HostKind::kTcp, "a", seconds(60)};
  fakes::ScriptedFactory factory{1};
  fakes::ScriptedUpstream* upstream = nullptr;
  std::deque<Work> works;
  std::vector<Work*> counted;   // in the order of sending
  std::vector<Work*> recycled;  // that were not sent
  std::unique_ptr<PoolConnection> connection;
  StatementSender sender{this};

 private:
  void TakeBack() {
    while (connection != nullptr && !connection->idle()) connection->OnBack(connection->running());
  }

  Work* NewWork(Kind kind, std::shared_ptr<TableBinding> binding) override {
    Work& work = works.emplace_back();
    work.kind = kind;
    work.may_write = binding->write_class != WriteClass::kReads;
    work.binding = std::move(binding);
    return &work;
  }
  void Recycle(Work* work) override { recycled.push_back(work); }
  void CountSent(PoolConnection& to, Work* work) override {
    EXPECT_EQ(&to, connection.get());
    counted.push_back(work);
    to.OnSent(work, 1);
  }

  void OnReady(UpstreamConnection*) override {}
  void OnConnectFailed(UpstreamConnection*, const ConnectionFault&) override {}
  void OnResult(UpstreamConnection*, Work*, const StatementResult&) override {}
  void OnNoPooler(UpstreamConnection*) override {}
  void OnOutdated(UpstreamConnection*) override {}
  void OnAllAnswered(UpstreamConnection*) override {}
  void OnLost(UpstreamConnection*, const ConnectionFault&) override {}
};

TEST_F(StatementSenderTest, AsTextTheKeyIsWrittenIntoIt) {
  const auto table = Table(StatementMode::kLegacy);
  Work* work = Lookup(table, "o'brien");
  ASSERT_TRUE(Send(work));
  EXPECT_EQ(work->form, StatementForm::kText);
  EXPECT_EQ(work->statement, table->plan.id());
  ASSERT_TRUE(Send(Lookup(table, "x")));
  EXPECT_EQ(upstream->history(), "SS");
  EXPECT_EQ(upstream->texts(),
            (Strings{"SELECT v FROM t WHERE k = 'o''brien'", "SELECT v FROM t WHERE k = 'x'"}));
  EXPECT_EQ(upstream->oldest()->parameters, Strings{});
  EXPECT_EQ(upstream->oldest()->types, Types{});
  EXPECT_EQ(upstream->oldest()->work, work);
}

TEST_F(StatementSenderTest, ValuesGoBesideIt) {
  const auto table =
      Table(StatementMode::kParameterized, "SELECT v FROM t WHERE u = '%u' AND d = '%d'");
  Work* work = Lookup(table, "o'brien@example.com");
  ASSERT_TRUE(Send(work));
  EXPECT_EQ(work->form, StatementForm::kParameterized);
  EXPECT_EQ(work->statement, table->plan.id());
  EXPECT_EQ(upstream->oldest()->sql, "SELECT v FROM t WHERE u = $1 AND d = $2");
  EXPECT_EQ(upstream->oldest()->parameters, (Strings{"o'brien", "example.com"}));
  EXPECT_EQ(upstream->oldest()->types, (Types{0, 0}));
  AnswerAll();
  table->plan.OnUntyped("could not determine data type of parameter $2");
  ASSERT_TRUE(Send(Lookup(table, "a@b.org")));
  EXPECT_EQ(upstream->oldest()->parameters, (Strings{"a", "b.org"}));
  EXPECT_EQ(upstream->oldest()->types, (Types{0, 25}));
  EXPECT_EQ(upstream->history(), "S|S");
  EXPECT_EQ(sender.prepares(), 0U);
}

TEST_F(StatementSenderTest, AStatementIsPreparedOnceAndThenUsed) {
  const auto table = Table(StatementMode::kAuto);
  Work* first = Lookup(table, "a");
  ASSERT_TRUE(Send(first));
  EXPECT_EQ(first->form, StatementForm::kPrepared);
  EXPECT_EQ(first->statement, table->plan.id());
  now += milliseconds(999);
  Work* second = Lookup(table, "b");
  ASSERT_TRUE(Send(second));
  EXPECT_EQ(upstream->history(), "PEE");
  EXPECT_EQ(sender.prepares(), 1U);
  ASSERT_EQ(counted.size(), 3U);
  const Work* prepare = counted[0];
  EXPECT_EQ(prepare->kind, Kind::kPrepare);
  EXPECT_EQ(prepare->binding, table);
  EXPECT_EQ(prepare->statement, table->plan.id());
  EXPECT_EQ(prepare->sent, first->sent);
  EXPECT_FALSE(prepare->in_lane);
  EXPECT_EQ(prepare->batch, first->batch);
  EXPECT_EQ(counted[1], first);
  EXPECT_EQ(counted[2], second);
  EXPECT_EQ(upstream->oldest()->sql, "SELECT v FROM t WHERE k = $1");
  EXPECT_EQ(upstream->oldest()->name, table->plan.name());
  EXPECT_EQ(upstream->oldest()->types, Types{0});
  ASSERT_TRUE(EndBatch());
  upstream->Answer("");  // PREPARE
  EXPECT_EQ(upstream->oldest()->name, table->plan.name());
  EXPECT_EQ(upstream->oldest()->parameters, Strings{"a"});
  EXPECT_TRUE(recycled.empty());
}

TEST_F(StatementSenderTest, AfterASecondItIsPreparedAnew) {
  const auto table = Table(StatementMode::kAuto);
  ASSERT_TRUE(Send(Lookup(table)));
  AnswerAll();
  now += seconds(1);
  Work* work = Lookup(table);
  work->in_lane = true;
  ASSERT_TRUE(Send(work));
  EXPECT_EQ(upstream->history(), "PE|S|PE|");
  ASSERT_EQ(counted.size(), 5U);
  EXPECT_EQ(counted[2]->kind, Kind::kDeallocate);
  EXPECT_EQ(upstream->oldest()->sql, "DEALLOCATE \"" + table->plan.name() + "\"");
  EXPECT_EQ(upstream->oldest()->parameters, Strings{});
  EXPECT_EQ(counted[3]->kind, Kind::kPrepare);
  for (const Work* with_it : {counted[2], counted[3]}) {
    EXPECT_EQ(with_it->binding, table);
    EXPECT_EQ(with_it->sent, now);
    EXPECT_TRUE(with_it->in_lane);
  }
  EXPECT_EQ(sender.prepares(), 2U);
}

TEST_F(StatementSenderTest, WhatMayNotHaveParametersNowIsText) {
  for (const StatementMode mode : {StatementMode::kAuto, StatementMode::kParameterized}) {
    const auto table = Table(mode);
    const StatementForm form =
        mode == StatementMode::kAuto ? StatementForm::kPrepared : StatementForm::kParameterized;
    Work* work = Lookup(table);
    EXPECT_EQ(FormOf(work), form);
    work->as_text = true;
    EXPECT_EQ(FormOf(work), StatementForm::kText);
    work->as_text = false;
    work->script = true;
    EXPECT_EQ(FormOf(work), StatementForm::kText);
    work->script = false;
    table->plan.PutOff(now);
    EXPECT_EQ(FormOf(work), StatementForm::kText);
    now += seconds(1);
    EXPECT_EQ(FormOf(work), form);
    upstream->SetDoublesBackslashes();
    EXPECT_EQ(FormOf(work), StatementForm::kText);
    Open();
  }
}

TEST_F(StatementSenderTest, ThroughAPoolerNothingIsPrepared) {
  factory.SetPooled();
  Open();
  EXPECT_EQ(FormOf(Lookup(Table(StatementMode::kAuto))), StatementForm::kParameterized);
  EXPECT_EQ(FormOf(Lookup(Table(StatementMode::kLegacy))), StatementForm::kText);
  upstream->LearnNoPooler();
  EXPECT_EQ(FormOf(Lookup(Table(StatementMode::kAuto))), StatementForm::kPrepared);
}

TEST_F(StatementSenderTest, WhereStatementsDoNotLastNoneIsPrepared) {
  Work* prepared = Lookup(Table(StatementMode::kAuto));
  Work* parameterized = Lookup(Table(StatementMode::kParameterized));
  host.text_until = now + milliseconds(1);
  EXPECT_EQ(FormOf(prepared), StatementForm::kText);
  EXPECT_EQ(FormOf(parameterized), StatementForm::kParameterized);
  now = host.text_until;
  EXPECT_EQ(FormOf(prepared), StatementForm::kPrepared);
}

TEST_F(StatementSenderTest, AConnectionThatHasTooManyIsToBeReplaced) {
  const auto table = Table(StatementMode::kAuto);
  connection->prepared.Add(table->plan.id(), table->plan.name(), now);
  for (std::uint64_t i = 1; i < PreparedStatements::kMost; ++i) {
    ASSERT_FALSE(connection->prepared.full());
    connection->prepared.Add(i, "other", now);
  }
  EXPECT_EQ(FormOf(Lookup(table)), StatementForm::kPrepared);  // it has that one
  EXPECT_EQ(connection->phase(), Phase::kShared);
  EXPECT_EQ(FormOf(Lookup(Table(StatementMode::kAuto, "SELECT w FROM t WHERE k = '%s'"))),
            StatementForm::kText);
  EXPECT_EQ(connection->phase(), Phase::kDraining);
}

TEST_F(StatementSenderTest, OneThatIsTooOldIsNotHad) {
  const auto table = Table(StatementMode::kAuto);
  for (std::uint64_t i = 1; i < PreparedStatements::kMost; ++i) {
    connection->prepared.Add(i, "other", now);
  }
  EXPECT_EQ(FormOf(Lookup(table)), StatementForm::kPrepared);  // the last one that has room
  connection->prepared.Add(table->plan.id(), table->plan.name(), now);
  now += seconds(1);
  EXPECT_EQ(FormOf(Lookup(table)), StatementForm::kText);
  EXPECT_EQ(connection->phase(), Phase::kDraining);
}

TEST_F(StatementSenderTest, WhatTheEncodingDoesNotHaveIsRefusedInEitherForm) {
  for (const StatementMode mode :
       {StatementMode::kLegacy, StatementMode::kParameterized, StatementMode::kAuto}) {
    const auto table = Table(mode, "SELECT v FROM t WHERE u = '%u' AND d = '%d'");
    EXPECT_EQ(Expand(Lookup(table, "joe@\xff.org")), Expansion::kNotEscapable);
    EXPECT_EQ(Expand(Lookup(table, "j\xff@b.org")), Expansion::kNotEscapable);
    EXPECT_EQ(Expand(Lookup(table, "\x80@b.org")), Expansion::kNotEscapable);
    EXPECT_EQ(Expand(Lookup(table, "j\xc3\xa4@b.org")), Expansion::kDone);
    EXPECT_EQ(Expand(Lookup(table, "joe@b.org")), Expansion::kDone);
  }
}

TEST_F(StatementSenderTest, WhatSharesIsOneBatch) {
  EXPECT_TRUE(EndBatch());  // none is open
  EXPECT_EQ(sender.syncs(), 0U);
  const auto table = Table(StatementMode::kLegacy);
  Work* first = Lookup(table);
  Work* second = Lookup(table);
  ASSERT_TRUE(Send(first));
  ASSERT_TRUE(Send(second));
  EXPECT_TRUE(EndBatch());
  EXPECT_TRUE(EndBatch());
  Work* third = Lookup(table);
  ASSERT_TRUE(Send(third));
  EXPECT_EQ(upstream->history(), "SS|S");
  EXPECT_EQ(sender.syncs(), 1U);
  EXPECT_EQ(upstream->commits(), 0);
  EXPECT_EQ(first->batch, second->batch);
  EXPECT_NE(second->batch, third->batch);
  EXPECT_EQ(counted, (std::vector<Work*>{first, second, third}));
}

TEST_F(StatementSenderTest, WhatGoesAloneIsABatchOfItsOwn) {
  const auto table = Table(StatementMode::kLegacy);
  Work* before = Lookup(table);
  Work* alone = Lookup(table);
  Work* in_lane = Lookup(table);
  Work* after = Lookup(table);
  alone->alone = true;
  in_lane->in_lane = true;
  for (Work* work : {before, alone, in_lane, after}) ASSERT_TRUE(Send(work));
  EXPECT_EQ(upstream->history(), "S|S|S|S");
  EXPECT_EQ(sender.syncs(), 3U);
  EXPECT_LT(before->batch, alone->batch);
  EXPECT_LT(alone->batch, in_lane->batch);
  EXPECT_LT(in_lane->batch, after->batch);
}

TEST_F(StatementSenderTest, ABatchThatMayHaveWrittenIsCommitted) {
  const auto table = Table(StatementMode::kLegacy);
  Work* write = Lookup(table);
  write->may_write = true;
  ASSERT_TRUE(Send(write));
  ASSERT_TRUE(Send(Lookup(table)));  // it reads, in that batch
  EXPECT_TRUE(EndBatch());
  EXPECT_EQ(upstream->commits(), 1);
  ASSERT_TRUE(Send(Lookup(table)));
  EXPECT_TRUE(EndBatch());
  EXPECT_EQ(upstream->commits(), 1);
  EXPECT_EQ(upstream->history(), "SS|S|");
  EXPECT_EQ(sender.syncs(), 2U);
}

TEST_F(StatementSenderTest, AScriptIsTextAndABatchByItself) {
  const auto table = Table(StatementMode::kLegacy, "SELECT 1; SELECT v FROM t WHERE k = '%s'");
  Work* first = Lookup(table, "o'brien");
  ASSERT_TRUE(Send(first));
  EXPECT_EQ(upstream->history(), "X");
  EXPECT_EQ(upstream->oldest()->sql, "SELECT 1; SELECT v FROM t WHERE k = 'o''brien'");
  EXPECT_EQ(counted, std::vector<Work*>{first});
  AnswerAll();
  Work* second = Lookup(table);
  ASSERT_TRUE(Send(second));
  EXPECT_LT(first->batch, second->batch);
  AnswerAll();
  Work* other = Lookup(Table(StatementMode::kLegacy));
  ASSERT_TRUE(Send(other));
  EXPECT_LT(second->batch, other->batch);
  AnswerAll();
  upstream->BreakSending();
  EXPECT_FALSE(Send(Lookup(table)));
  EXPECT_EQ(counted.size(), 3U);
}

TEST_F(StatementSenderTest, APrepareIsTheFirstOfItsBatch) {
  Work* before = Lookup(Table(StatementMode::kLegacy));
  Work* work = Lookup(Table(StatementMode::kAuto));
  ASSERT_TRUE(Send(before));
  ASSERT_TRUE(Send(work));
  EXPECT_EQ(upstream->history(), "S|PE");
  ASSERT_EQ(counted.size(), 3U);
  EXPECT_LT(before->batch, counted[1]->batch);
  EXPECT_EQ(counted[1]->batch, work->batch);
}

TEST_F(StatementSenderTest, TwoAreDeallocatedAtOnceEachInABatchOfItsOwn) {
  for (std::uint64_t i = 1; i <= 3; ++i) connection->prepared.Add(i, "left_over", now);
  connection->prepared.RetireAll();
  const auto table = Table(StatementMode::kAuto, kQuery, WriteClass::kMayWrite);
  ASSERT_TRUE(Send(Lookup(table)));
  EXPECT_EQ(upstream->history(), "S|S|PE");
  EXPECT_EQ(upstream->commits(), 0);  // nothing is written by them
  ASSERT_EQ(counted.size(), 4U);
  EXPECT_LT(counted[0]->batch, counted[1]->batch);
  EXPECT_LT(counted[1]->batch, counted[2]->batch);
  EXPECT_TRUE(connection->prepared.TakeLeftOver().has_value());
  EXPECT_FALSE(connection->prepared.TakeLeftOver().has_value());
}

TEST_F(StatementSenderTest, AQuestionIsABatchOfItsOwn) {
  const auto table = Table(StatementMode::kLegacy);
  const char* const values[] = {"t", "f"};
  Work* before = Lookup(table);
  Work* question = Lookup(table);
  question->kind = Kind::kClassify;
  ASSERT_TRUE(Send(before));
  ASSERT_TRUE(sender.SendQuestion(*connection, question, "SELECT $1, $2", values));
  EXPECT_EQ(upstream->history(), "S|S|");
  EXPECT_EQ(upstream->commits(), 0);
  EXPECT_LT(before->batch, question->batch);
  EXPECT_EQ(counted, (std::vector<Work*>{before, question}));
  upstream->Answer("");
  EXPECT_EQ(upstream->oldest()->sql, "SELECT $1, $2");
  EXPECT_EQ(upstream->oldest()->parameters, (Strings{"t", "f"}));
}

// Whatever the connection does not take: each work that was made is in flight, or was handed back.
class RefusalTest : public StatementSenderTest {
 protected:
  // A connection with a batch open and two statements left over, which takes so many calls more.
  void Break(int taken) {
    Open();
    connection->prepared.Add(1, "old", now);
    connection->prepared.Add(2, "old", now);
    connection->prepared.RetireAll();
    ASSERT_TRUE(Send(Lookup(Table(StatementMode::kLegacy))));
    works_before = works.size();
    counted.clear();
    recycled.clear();
    upstream->BreakSending(taken);
  }
  // Of what was sent since.
  std::string History() const { return upstream->history().substr(1); }
  std::size_t Made() const { return works.size() - works_before - 1; }  // but for the lookup
  std::size_t CountedBut(const Work* lookup) const {
    return counted.size() - static_cast<std::size_t>(std::ranges::count(counted, lookup));
  }

  std::size_t works_before = 0;
};

TEST_F(RefusalTest, AtAnyStepOfALookupHandsTheWorkBack) {
  for (const bool alone : {true, false}) {
    const std::string all = alone ? "|S|S|PE|" : "|S|S|PE";
    for (std::size_t step = 0; step <= all.size(); ++step) {
      SCOPED_TRACE(all.substr(0, step));
      Break(static_cast<int>(step));
      Work* work = Lookup(Table(StatementMode::kAuto));
      work->alone = alone;
      EXPECT_EQ(Send(work), step == all.size());
      EXPECT_EQ(History(), all.substr(0, step));
      EXPECT_EQ(Made(), CountedBut(work) + recycled.size());
      const bool refuses_own = step < all.size() && (all[step] == 'S' || all[step] == 'P');
      EXPECT_EQ(recycled.size(), refuses_own ? 1U : 0U);
      EXPECT_EQ(std::ranges::count(counted, work), step > all.find('E') ? 1 : 0);
    }
  }
}

TEST_F(RefusalTest, AtAnyStepOfAQuestionIsTold) {
  const std::string all = "|S|";
  for (std::size_t step = 0; step <= all.size(); ++step) {
    SCOPED_TRACE(all.substr(0, step));
    Break(static_cast<int>(step));
    Work* question = Lookup(Table(StatementMode::kAuto));
    question->kind = Kind::kClassify;
    EXPECT_EQ(sender.SendQuestion(*connection, question, "SELECT 1", {}), step == all.size());
    EXPECT_EQ(History(), all.substr(0, step));
    EXPECT_EQ(counted.size(), step > 1 ? 1U : 0U);
  }
}

TEST_F(RefusalTest, OfTextOrOfParametersIsTold) {
  for (const StatementMode mode : {StatementMode::kLegacy, StatementMode::kParameterized}) {
    Break(0);
    EXPECT_FALSE(Send(Lookup(Table(mode))));
    EXPECT_TRUE(counted.empty());
  }
}

TEST_F(RefusalTest, OfACommitIsTold) {
  Open();
  Work* write = Lookup(Table(StatementMode::kLegacy));
  write->may_write = true;
  ASSERT_TRUE(Send(write));
  upstream->BreakSyncing();
  EXPECT_FALSE(EndBatch());
  EXPECT_EQ(upstream->commits(), 1);
}

}  // namespace
}  // namespace proxymux::pgsql
