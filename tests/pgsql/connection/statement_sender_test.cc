// What a connection is sent for a lookup: in which form, and with what values.
#include "pgsql/connection/statement_sender.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/pgsql/connection/sender_world.h"

namespace proxymux::pgsql {
namespace {

using config::StatementMode;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Strings = std::vector<std::string>;
using Types = std::vector<std::uint32_t>;

class StatementSenderTest : public SenderWorld {};

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
    work->needs.as_text = true;
    EXPECT_EQ(FormOf(work), StatementForm::kText);
    work->needs.as_text = false;
    work->wire.protocol = Protocol::kSimple;
    EXPECT_EQ(FormOf(work), StatementForm::kText);
    work->wire.protocol = Protocol::kExtended;
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

}  // namespace
}  // namespace proxymux::pgsql
