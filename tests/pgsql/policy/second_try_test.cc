#include "pgsql/policy/second_try.h"

#include <gtest/gtest.h>

#include "pgsql/work/twin_lookups.h"
#include "tests/pgsql/policy/policy_world.h"
#include "tests/pgsql/work/nobodys_sink.h"

namespace proxymux::pgsql {
namespace {

using Connections = SecondTry::Connections;

class SecondTryTest : public PolicyWorld {
 protected:
  // Somebody waits for it.
  Work* Awaited(const std::shared_ptr<TableBinding>& table) {
    Work* work = Lookup(table);
    work->sink = &sink;
    return work;
  }
  bool MayBeAsked(const Work* work) { return SecondTry::MayBeAsked(*work, rules); }
  bool HasHost(const Work* work, Connections connections = Connections::kMayBeOpened) {
    return SecondTry::HasHost(*work, hosts, connections);
  }

  NobodysSink sink;
};

TEST_F(SecondTryTest, ALookupThatReadsMayBeAskedTwice) {
  EXPECT_TRUE(MayBeAsked(Awaited(Quick())));
}

TEST_F(SecondTryTest, OneThatNobodyWaitsForMayNot) { EXPECT_FALSE(MayBeAsked(Lookup(Quick()))); }

TEST_F(SecondTryTest, AQuestionOfThePoolsOwnMayNot) {
  Work* question = Question(Quick());
  question->sink = &sink;
  EXPECT_FALSE(MayBeAsked(question));
}

TEST_F(SecondTryTest, WhatMayWriteMayNot) {
  const auto writes = Quick();
  writes->write_class = WriteClass::kMayWrite;
  EXPECT_FALSE(MayBeAsked(Awaited(writes)));
  EXPECT_FALSE(MayBeAsked(Awaited(Unknown()))) << "nobody has said what it does";
  Work* sent_as_write = Awaited(Quick());
  sent_as_write->needs.may_write = true;
  EXPECT_FALSE(MayBeAsked(sent_as_write));
}

TEST_F(SecondTryTest, WhatTheCatalogueSaidBeforeItChangedIsNotKnown) {
  const auto told = Quick();
  told->catalogue = rules.catalogues();
  EXPECT_TRUE(MayBeAsked(Awaited(told)));
  rules.OnCatalogueChanged();
  EXPECT_FALSE(MayBeAsked(Awaited(told)));
}

TEST_F(SecondTryTest, AScriptMayNot) {
  Work* script = Awaited(Quick());
  script->needs.script = true;
  EXPECT_FALSE(MayBeAsked(script));
}

TEST_F(SecondTryTest, OneThatIsAskedTwiceMayNotBeAskedAThirdTime) {
  Work* lookup = Awaited(Quick());
  Work* second = Lookup(Quick());
  TwinLookups::Tie(lookup, second);
  EXPECT_FALSE(MayBeAsked(lookup));
}

TEST_F(SecondTryTest, GoesToAHostThatTheLookupWasNotSentTo) {
  Work* lookup = Awaited(Quick());
  EXPECT_TRUE(HasHost(lookup));
  lookup->attempts.Count(0);
  EXPECT_TRUE(HasHost(lookup));
  lookup->attempts.Count(1);
  EXPECT_FALSE(HasHost(lookup));
}

TEST_F(SecondTryTest, GoesToNoHostThatIsDown) {
  Work* lookup = Awaited(Quick());
  lookup->attempts.Count(0);
  Down(1);
  EXPECT_FALSE(HasHost(lookup));
}

TEST_F(SecondTryTest, GoesToNoHostThatIsSuspect) {
  Open(1);
  Work* lookup = Awaited(Quick());
  lookup->attempts.Count(0);
  hosts[1].health.OnSilent(now, "silent");
  ASSERT_EQ(hosts[1].health.state(), HostHealth::State::kSuspect);
  EXPECT_FALSE(HasHost(lookup));
}

TEST_F(SecondTryTest, WithoutRoomGoesOnlyWhereAConnectionIs) {
  Work* lookup = Awaited(Quick());
  lookup->attempts.Count(0);
  EXPECT_FALSE(HasHost(lookup, Connections::kOpenOnes));
  Open(1);
  EXPECT_TRUE(HasHost(lookup, Connections::kOpenOnes));
}

}  // namespace
}  // namespace proxymux::pgsql
