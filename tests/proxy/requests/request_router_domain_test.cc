// Lookups in tables whose domain list names other tables: asked in order, one answer, nothing of
// one lookup in another's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/proxy/requests/router_fixture.h"

namespace proxymux::proxy {
namespace {

using ::testing::HasSubstr;
using Kind = DomainAnswer::Kind;

constexpr std::uint32_t kFold = 16384 | 16;

class RequestRouterDomainTest : public RouterFixture {
 protected:
  void SetDomain(const std::string& list, const std::string& query = kQuery) {
    world_->Add(kTable, query + "domain = " + list + "\n");
  }
  ScriptedDomains& domains() { return world_->domains; }
};

TEST_F(RequestRouterDomainTest, AMatchGoesOnToTheDatabase) {
  SetDomain("hash:/h");
  EXPECT_EQ(client_->Legacy("User@Example.COM", kFold), "(later)");
  ASSERT_EQ(domains().count(), 1u);
  EXPECT_EQ(domains().last().member, "hash:/h");
  EXPECT_EQ(domains().last().domain, "example.com");
  Settle();
  EXPECT_EQ(world_->factory.Open().size(), 0u) << "no query before the list has decided";
  loop_.Advance(std::chrono::milliseconds(30));
  domains().Answer(0, Kind::kFound);
  EXPECT_EQ(client_->TakeLate(), "");
  EXPECT_EQ(Asked(), Sql("user@example.com"));
  EXPECT_EQ(Answered("box"), "status=0 value=box");
  EXPECT_EQ(counters().lookups, 1u);
  EXPECT_EQ(counters().found, 1u);
  EXPECT_EQ(counters().suppressed, 0u);
  EXPECT_EQ(counters().latency.count(), 1u);
  EXPECT_GE(counters().latency.sum(), std::chrono::milliseconds(30)) << "the wait is part of it";
  EXPECT_EQ(world_->router.counters().replies.ok, 1u);
}

TEST_F(RequestRouterDomainTest, NoMatchIsNoKeyWithoutAQuery) {
  SetDomain("hash:/h");
  EXPECT_EQ(client_->Current("user@example.com", 0, 64), "(later)");
  domains().Answer(0, Kind::kNotFound);
  EXPECT_EQ(client_->TakeLate(), "status=1 flags=64 value=");
  EXPECT_EQ(counters().not_found, 1u);
  EXPECT_EQ(counters().suppressed, 1u);
  EXPECT_EQ(counters().latency.count(), 1u);
  EXPECT_EQ(world_->router.counters().replies.not_found, 1u);
}

TEST_F(RequestRouterDomainTest, MembersAreAskedInOrderUntilOneDecides) {
  SetDomain("a.example, !inline:{b.example=x, c.example=x}, d.example, !proxy:static:x, hash:/h");
  EXPECT_EQ(client_->Legacy("u@a.example"), "(later)");
  EXPECT_EQ(domains().count(), 0u) << "a name before it decides";
  EXPECT_EQ(Answered("1"), "status=0 value=1");

  EXPECT_EQ(client_->Legacy("u@b.example"), "(later)");
  EXPECT_EQ(domains().last().member, "inline:{b.example=x, c.example=x}");
  domains().Answer(0, Kind::kFound);
  EXPECT_EQ(client_->TakeLate(), "status=1 value=") << "excluded";

  EXPECT_EQ(client_->Legacy("u@d.example"), "(later)");
  domains().Answer(1, Kind::kNotFound);
  EXPECT_EQ(Answered("2"), "status=0 value=2");
  EXPECT_EQ(domains().count(), 2u);

  EXPECT_EQ(client_->Legacy("u@z.example"), "(later)");
  domains().Answer(2, Kind::kNotFound);
  EXPECT_EQ(client_->TakeLate(), "");
  ASSERT_EQ(domains().count(), 4u);
  EXPECT_EQ(domains().last().member, "proxy:static:x");
  EXPECT_EQ(domains().last().domain, "z.example");
  domains().Answer(3, Kind::kNotFound);
  ASSERT_EQ(domains().count(), 5u);
  EXPECT_EQ(domains().last().member, "hash:/h");
  domains().Answer(4, Kind::kFound);
  EXPECT_EQ(Answered("3"), "status=0 value=3");
  EXPECT_EQ(counters().lookups, 4u);
}

TEST_F(RequestRouterDomainTest, AMemberThatFailsIsRetryAlsoBehindAnExclusion) {
  for (const char* list : {"hash:/h, user.example", "!hash:/h, static:x"}) {
    SetDomain(list);
    EXPECT_EQ(client_->Legacy("user@user.example"), "(later)");
    domains().Answer(domains().count() - 1, Kind::kFailed, "it is not there");
    EXPECT_EQ(client_->TakeLate(), "status=2 value=");
    EXPECT_EQ(counters().retry, 1u);
    EXPECT_THAT(world_->lines.TakeText(),
                HasSubstr(std::string("table ") + kTable +
                          ": the domain list cannot be looked up: hash:/h: it is not there"));
  }
  EXPECT_EQ(domains().count(), 2u) << "what follows such a member is not asked";
}

TEST_F(RequestRouterDomainTest, AKeyWithoutADomainIsNotAsked) {
  SetDomain("static:x");
  for (const char* key : {"user", "@example.com", "user@", ""}) {
    EXPECT_EQ(client_->Legacy(key), "status=1 value=") << key;
  }
  EXPECT_EQ(domains().count(), 0u);
}

TEST_F(RequestRouterDomainTest, WhatTheQueryAsksOfTheKeyIsCheckedBehindTheList) {
  SetDomain("static:x", "query = SELECT '%2'\n");
  EXPECT_EQ(client_->Legacy("user@com"), "(later)");
  domains().Answer(0, Kind::kFound);
  EXPECT_EQ(client_->TakeLate(), "status=1 value=");
  EXPECT_EQ(counters().suppressed, 1u);
}

TEST_F(RequestRouterDomainTest, OtherLookupsDoNotTouchAKeyThatWaits) {
  SetDomain("hash:/h");
  Client other(&world_->router);
  EXPECT_EQ(client_->Legacy("FIRST@one.example", kFold), "(later)");
  EXPECT_EQ(other.Legacy("SECOND@two.example", kFold), "(later)");
  domains().Answer(1, Kind::kNotFound);
  EXPECT_EQ(other.TakeLate(), "status=1 value=");
  domains().Answer(0, Kind::kFound);
  EXPECT_EQ(Asked(), Sql("first@one.example"));
  EXPECT_EQ(Answered("box"), "status=0 value=box");
}

TEST_F(RequestRouterDomainTest, ALookupGoesOnWithTheVersionItBeganWith) {
  SetDomain("hash:/h");
  EXPECT_EQ(client_->Legacy("user@one.example"), "(later)");
  const auto table = world_->registry.Find(kTable);
  const std::weak_ptr<pgsql::TableBinding> before = table->binding;
  table->binding = Bind(kTable, "query = SELECT 'new'\n");
  EXPECT_FALSE(before.expired());
  domains().Answer(0, Kind::kFound);
  EXPECT_EQ(Asked(), Sql("user@one.example"));
  EXPECT_EQ(Answered("box"), "status=0 value=box");
  EXPECT_TRUE(before.expired()) << "nobody holds on to it afterwards";
}

TEST_F(RequestRouterDomainTest, AClientThatIsGoneGivesItsQuestionUp) {
  SetDomain("!hash:/h, static:x");
  EXPECT_EQ(client_->Legacy("user@one.example"), "(later)");
  domains().Answer(0, Kind::kNotFound);
  ASSERT_EQ(domains().count(), 2u);
  const std::weak_ptr<pgsql::TableBinding> binding = world_->registry.Find(kTable)->binding;
  EXPECT_TRUE(domains().asked(1).wanted);
  client_->conversation().Cancel();
  EXPECT_FALSE(domains().asked(1).wanted);
  EXPECT_FALSE(client_->conversation().pending());
  world_->registry.Find(kTable)->binding.reset();
  EXPECT_TRUE(binding.expired());
  EXPECT_EQ(client_->TakeLate(), "");
}

TEST_F(RequestRouterDomainTest, AClientThatIsGoneBehindTheListGivesItsQueryUp) {
  SetDomain("hash:/h");
  EXPECT_EQ(client_->Legacy("user@one.example"), "(later)");
  domains().Answer(0, Kind::kFound);
  client_->conversation().Cancel();
  EXPECT_FALSE(client_->conversation().pending());
  EXPECT_EQ(world_->coalescer.flights(), 0u);
  Settle();
  EXPECT_EQ(client_->TakeLate(), "");
}

TEST_F(RequestRouterDomainTest, EqualLookupsShareOneStatementBehindTheList) {
  SetDomain("hash:/h");
  Client other(&world_->router);
  EXPECT_EQ(client_->Legacy("USER@one.example", kFold), "(later)");
  EXPECT_EQ(other.Current("user@one.example", 0, 0), "(later)");
  domains().Answer(1, Kind::kFound);
  domains().Answer(0, Kind::kFound);
  Settle();
  EXPECT_EQ(world_->connection().unanswered(), 1u);
  world_->connection().Answer("box");
  EXPECT_EQ(client_->TakeLate(), "status=0 value=box");
  EXPECT_EQ(other.TakeLate(), "status=0 flags=0 value=box");
  EXPECT_EQ(counters().coalesced, 1u);
}

TEST_F(RequestRouterDomainTest, TheNextRequestMayComeFromInsideTheReply) {
  SetDomain("hash:/h");
  client_->then = [&] { EXPECT_EQ(client_->Current("two@one.example", 0, 7), "(later)"); };
  client_->Legacy("one@one.example");
  domains().Answer(0, Kind::kNotFound);
  EXPECT_EQ(client_->TakeLate(), "status=1 value=");
  ASSERT_EQ(domains().count(), 2u);
  domains().Answer(1, Kind::kFound);
  EXPECT_EQ(Answered("2"), "status=0 flags=7 value=2");
}

}  // namespace
}  // namespace proxymux::proxy
