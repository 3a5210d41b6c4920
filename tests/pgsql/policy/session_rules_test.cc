#include "pgsql/policy/session_rules.h"

#include <gtest/gtest.h>

#include "tests/pgsql/policy/policy_world.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class SessionRulesTest : public PolicyWorld {
 protected:
  // What the catalogue said about it; the catalogue was asked just now.
  std::shared_ptr<TableBinding> Told(SessionUse session, WriteClass write_class) {
    auto table = Quick();
    table->write_class = write_class;
    table->session = session;
    table->catalogue = rules.catalogues();
    return table;
  }
  std::shared_ptr<TableBinding> Told(SessionUse session) {
    return Told(session, WriteClass::kReads);
  }
  void CatalogueIsFresh(std::size_t host) {
    hosts[host].catalogue.OnAsked(now);
    hosts[host].catalogue.OnAnswered(now, 1);
  }
  bool MayTake(const PoolConnection& connection, const Work* work) {
    return rules.MayTake(View(), connection, *work);
  }
};

TEST_F(SessionRulesTest, WhatTheTextTellsIsKnownForEver) {
  EXPECT_TRUE(rules.Known(*Quick()));
  EXPECT_FALSE(rules.Known(*Unknown()));
  const auto asking = Unknown();
  asking->write_class = WriteClass::kAsking;
  EXPECT_FALSE(rules.Known(*asking));
  const auto writes = Quick();
  writes->write_class = WriteClass::kMayWrite;
  rules.OnCatalogueChanged();
  EXPECT_TRUE(rules.Known(*writes));
}

TEST_F(SessionRulesTest, WhatACatalogueToldIsKnownUntilOneChanges) {
  const auto table = Told(SessionUse::kShared);
  EXPECT_TRUE(rules.Known(*table));
  rules.OnCatalogueChanged();
  EXPECT_FALSE(rules.Known(*table));
  table->catalogue = rules.catalogues();
  EXPECT_TRUE(rules.Known(*table));
}

TEST_F(SessionRulesTest, TheLineThatATableStandsIn) {
  EXPECT_EQ(rules.LineOf(*Quick()), Line::kShared);
  EXPECT_EQ(rules.LineOf(*Own()), Line::kOwn);
  EXPECT_EQ(rules.LineOf(*Unknown()), Line::kLoan);
  const auto secured = Quick();
  secured->session = SessionUse::kOwnTransaction;
  EXPECT_EQ(rules.LineOf(*secured), Line::kShared);
  const auto slow = Slow(milliseconds(200));
  EXPECT_EQ(rules.LineOf(*slow), Line::kSlow);
  slow->session = SessionUse::kOwnSession;
  EXPECT_EQ(rules.LineOf(*slow), Line::kSlow);
  slow->in_lanes = 1;
  EXPECT_EQ(rules.LineOf(*slow), Line::kSlowMore);
  const auto never = Quick();
  never->service_time = {};
  EXPECT_EQ(rules.LineOf(*never), Line::kUnmeasured);
  never->in_lanes = 1;
  EXPECT_EQ(rules.LineOf(*never), Line::kSlowMore);
  const auto script = BoundTable("SELECT 1; SELECT v FROM t WHERE k = '%s'", WriteClass::kReads);
  EXPECT_EQ(rules.LineOf(*script), Line::kSlow);
}

TEST_F(SessionRulesTest, WhatIsNotKnownNowHasASessionOfItsOwn) {
  const auto use = [&](const std::shared_ptr<TableBinding>& table) {
    return rules.UseOf(View(), *Lookup(table), 1);
  };
  EXPECT_EQ(use(Quick()), SessionUse::kShared);
  EXPECT_EQ(use(Own()), SessionUse::kOwnSession);
  EXPECT_EQ(use(Unknown()), SessionUse::kOwnSession);
  const auto table = Told(SessionUse::kOwnTransaction);
  EXPECT_EQ(use(table), SessionUse::kOwnSession);  // nobody knows whether it has changed
  CatalogueIsFresh(0);
  EXPECT_EQ(use(table), SessionUse::kOwnSession);  // another host's
  CatalogueIsFresh(1);
  EXPECT_EQ(use(table), SessionUse::kOwnTransaction);
  EXPECT_EQ(rules.UseOf(View(), *Question(Own()), 1), SessionUse::kShared);
}

TEST_F(SessionRulesTest, AnOwnedSessionTakesItsTablesStatementsOnly) {
  PoolConnection& connection = Open();
  Open();
  const auto owner = Own();
  connection.session.owner = owner;
  EXPECT_TRUE(MayTake(connection, Lookup(owner)));
  EXPECT_FALSE(MayTake(connection, Lookup(Own())));
  EXPECT_FALSE(MayTake(connection, Lookup(Quick())));
  EXPECT_TRUE(MayTake(connection, Question(Quick())));  // it is only lent
  connection.session.changed = true;
  EXPECT_FALSE(MayTake(connection, Question(Quick())));
}

TEST_F(SessionRulesTest, OneConnectionStaysForTheOthersWhileTheyAreAbout) {
  PoolConnection& first = Open();
  Work* own = Lookup(Own());
  EXPECT_TRUE(MayTake(first, own));
  sharers_about = true;
  EXPECT_FALSE(MayTake(first, own));
  EXPECT_TRUE(MayTake(first, Lookup(Quick())));
  EXPECT_TRUE(MayTake(first, Lookup(Unknown())));  // lent only
  EXPECT_TRUE(MayTake(first, Lookup(Told(SessionUse::kShared))));
  PoolConnection& second = Open();
  EXPECT_TRUE(MayTake(first, own));
  second.Drain();
  EXPECT_FALSE(MayTake(first, own));
  usable = 1;  // there will not be another
  EXPECT_TRUE(MayTake(first, own));
}

TEST_F(SessionRulesTest, ATableHasAnotherConnectionWhenItsOwnHaveNoRoom) {
  PoolConnection& free = Open();
  PoolConnection& owned = Open();
  const auto table = Own();
  owned.session.owner = table;
  Work* work = Lookup(table);
  EXPECT_FALSE(MayTake(free, work));
  for (std::size_t i = 0; i < depth; ++i) {
    EXPECT_FALSE(MayTake(free, work)) << i;
    Send(owned, table);
  }
  EXPECT_TRUE(MayTake(free, work));
  owned.OnBack(owned.running());
  EXPECT_FALSE(MayTake(free, work));
  owned.OnStalled();
  EXPECT_TRUE(MayTake(free, work));
  owned.OnAnswered(now);
  work->attempts.Exhaust(0);  // it may not go there
  EXPECT_TRUE(MayTake(free, work));
}

TEST_F(SessionRulesTest, OrWhenItsOwnMayBeGoneAndHasOneStatement) {
  const auto table = Own();
  PoolConnection& own = Open();
  own.session.owner = table;
  Open();
  PoolConnection& free = Open();
  EXPECT_FALSE(rules.MayTake(View(), free, *Lookup(table)));
  hosts[0].trust.OnLost(now);
  EXPECT_FALSE(rules.MayTake(View(), free, *Lookup(table))) << "it takes that one";
  Work* work = Send(own, table, false, std::chrono::milliseconds(24));
  own.last_result = {};
  EXPECT_FALSE(rules.MayTake(View(), free, *Lookup(table))) << "it may answer soon";
  work->sent -= std::chrono::milliseconds(1);
  EXPECT_TRUE(rules.MayTake(View(), free, *Lookup(table)));
  PoolConnection& second = Open();
  second.session.owner = table;
  Send(second, table);
  EXPECT_FALSE(rules.MayTake(View(), free, *Lookup(table))) << "nor all connections in one turn";
  second.last_result = {};
  EXPECT_FALSE(rules.MayTake(View(), free, *Lookup(table))) << "nor later: one in place of another";
}

TEST_F(SessionRulesTest, ASlowOneDoesNotWaitBehindItsLike) {
  PoolConnection& free = Open();
  PoolConnection& owned = Open();
  const auto table = Slow(milliseconds(200));
  table->session = SessionUse::kOwnSession;
  owned.session.owner = table;
  EXPECT_FALSE(MayTake(free, Lookup(table)));
  Send(owned, table);
  EXPECT_TRUE(MayTake(free, Lookup(table)));
}

TEST_F(SessionRulesTest, ThroughAPoolerOneBatchAtATime) {
  PoolConnection& connection = Open();
  StillUpstream& upstream = Upstream(connection);
  const auto waits = [&](const Work* work) {
    return rules.WaitsForPooler(View(), connection, *work);
  };
  Work* quick = Lookup(Quick());
  upstream.all_answered = false;
  EXPECT_FALSE(waits(quick));  // no pooler
  upstream.pooled = true;
  EXPECT_TRUE(waits(quick));
  upstream.all_answered = true;
  EXPECT_FALSE(waits(quick));
  upstream.all_answered = false;
  upstream.batch_open = true;  // it joins that one
  EXPECT_FALSE(waits(quick));
  EXPECT_TRUE(waits(Question(Quick())));
  EXPECT_TRUE(waits(Lookup(Own())));
  quick->needs.may_write = true;
  EXPECT_TRUE(waits(quick));
}

TEST_F(SessionRulesTest, WhatSharesTakesNoSession) {
  PoolConnection& connection = Open();
  Work* work = Lookup(Quick());
  work->needs.may_write = true;  // that was when it was submitted
  rules.Take(View(), &connection, work);
  EXPECT_EQ(connection.session.owner, nullptr);
  EXPECT_FALSE(work->needs.may_write);
  EXPECT_FALSE(work->needs.alone);
  const auto secured = Quick();
  secured->session = SessionUse::kOwnTransaction;
  Work* alone = Lookup(secured);
  rules.Take(View(), &connection, alone);
  EXPECT_EQ(connection.session.owner, nullptr);
  EXPECT_FALSE(alone->needs.may_write);
  EXPECT_TRUE(alone->needs.alone);
  const auto writes = Quick();
  writes->write_class = WriteClass::kMayWrite;
  Work* write = Lookup(writes);
  rules.Take(View(), &connection, write);
  EXPECT_TRUE(write->needs.may_write);
  EXPECT_TRUE(write->needs.alone);
}

TEST_F(SessionRulesTest, ALoanIsGivenBackWhenNothingWasLeftBehind) {
  PoolConnection& connection = Open();
  const auto table = Unknown();
  Work* work = Lookup(table);
  rules.Take(View(), &connection, work);
  EXPECT_EQ(connection.session.owner, table);
  EXPECT_FALSE(connection.session.changed);
  EXPECT_EQ(connection.session.owned_since, now);
  EXPECT_TRUE(work->needs.may_write);
  EXPECT_TRUE(work->needs.alone);
  const Time since = now;
  now += milliseconds(5);
  rules.Take(View(), &connection, work);
  EXPECT_EQ(connection.session.owned_since, since);
  rules.Release(View());
  EXPECT_EQ(connection.session.owner, table);  // nothing is known yet
  table->write_class = WriteClass::kReads;
  table->catalogue = rules.catalogues();
  rules.Release(View());
  EXPECT_EQ(connection.session.owner, table);  // the host's catalogue may have changed since
  CatalogueIsFresh(0);
  rules.Release(View());
  EXPECT_EQ(connection.session.owner, nullptr);
}

TEST_F(SessionRulesTest, WhatTheTextTellsNeedsNoCatalogueToBeGivenBack) {
  PoolConnection& connection = Open();
  const auto table = Unknown();
  rules.Take(View(), &connection, Lookup(table));
  table->write_class = WriteClass::kReads;
  rules.Release(View());
  EXPECT_EQ(connection.session.owner, nullptr);
}

TEST_F(SessionRulesTest, WhatWasLeftBehindStays) {
  PoolConnection& connection = Open();
  const auto table = Unknown();
  rules.Take(View(), &connection, Lookup(table));
  table->write_class = WriteClass::kReads;
  table->session = SessionUse::kOwnSession;
  rules.Release(View());
  EXPECT_EQ(connection.session.owner, table);
  EXPECT_TRUE(connection.session.changed);
  table->session = SessionUse::kShared;  // of a later catalogue
  rules.Release(View());
  EXPECT_EQ(connection.session.owner, table);
}

TEST_F(SessionRulesTest, ATableThatIsKnownToChangeItsSessionChangesIt) {
  PoolConnection& connection = Open();
  rules.Take(View(), &connection, Lookup(Own()));
  EXPECT_TRUE(connection.session.changed);
  // Told to share, but nobody knows now: lent.
  PoolConnection& other = Open();
  const auto told = Told(SessionUse::kShared);
  rules.Take(View(), &other, Lookup(told));
  EXPECT_EQ(other.session.owner, told);
  EXPECT_FALSE(other.session.changed);
}

}  // namespace
}  // namespace proxymux::pgsql
