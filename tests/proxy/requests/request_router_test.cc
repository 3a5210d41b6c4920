// What opens and lookups are answered, row by row of the protocol: both dialects, open flags,
// approval, folding, UTF-8. The rest: request_router_refusal_test.
#include "proxy/requests/request_router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/proxy/requests/router_fixture.h"

namespace proxymux::proxy {
namespace {

using ::testing::HasSubstr;

using RequestRouterTest = RouterFixture;

// --- open ---

TEST_F(RequestRouterTest, OpenRepliesWithTheFlagsAsCaptured) {
  const std::pair<const char*, const char*> rows[] = {
      {"0", "16"},           {"16448", "16464"},    {"524288", "1572880"},
      {"540736", "1589328"}, {"540737", "1589329"}, {"4294967295", "4294967295"}};
  for (const auto& [asked, told] : rows) {
    EXPECT_EQ(client_->Send({{"request", "open"}, {"table", kTable}, {"instance_flags", asked}}),
              std::string("status=0 flags=") + told);
    EXPECT_EQ(client_->Send({{"request", "open"}, {"table", kTable}, {"flags", asked}}),
              std::string("status=0 flags=") + told);
  }
}

TEST_F(RequestRouterTest, OpenWithoutSmtputf8IsNotActive) {
  Make(false);
  EXPECT_EQ(client_->Send({{"request", "open"}, {"table", kTable}, {"flags", "524288"}}),
            "status=0 flags=524304");
}

TEST_F(RequestRouterTest, ABrokenTableOpensLikeAGoodOne) {
  EXPECT_EQ(client_->Send({{"request", "open"}, {"table", "pgsql:/broken.cf"}, {"flags", "0"}}),
            "status=0 flags=16");
}

TEST_F(RequestRouterTest, OneClientsFlagsDoNotReachAnother) {
  Client other(&world_->router);
  EXPECT_EQ(client_->Send({{"request", "open"}, {"table", kTable}, {"flags", "540736"}}),
            "status=0 flags=1589328");
  EXPECT_EQ(other.Send({{"request", "open"}, {"table", kTable}, {"flags", "0"}}),
            "status=0 flags=16");
}

TEST_F(RequestRouterTest, ProxyPrefixesAreStrippedAnyNumber) {
  EXPECT_EQ(
      client_->Send({{"request", "open"}, {"table", "proxy:proxy:pgsql:/a.cf"}, {"flags", "0"}}),
      "status=0 flags=16");
}

// --- approval ---

TEST_F(RequestRouterTest, AnUnapprovedTableIsDeniedAndTheLogSaysWhatWouldAllowIt) {
  for (const char* table : {"pgsql:/b.cf", "unix:group.byname", "pgsql:/a.cf ", "PGSQL:/a.cf"}) {
    EXPECT_EQ(client_->Send({{"request", "open"}, {"table", table}, {"flags", "64"}}),
              "status=4 flags=0");
    EXPECT_EQ(client_->Legacy("key", 0, table), "status=4 value=");
    EXPECT_EQ(client_->Current("key", 0, 64, table), "status=4 flags=0 value=");
    const std::string log = world_->lines.TakeText();
    loop_.Advance(std::chrono::minutes(2));  // such lines are limited
    EXPECT_THAT(log, HasSubstr(std::string("add proxy:") + table + " to proxy_read_maps"));
  }
  EXPECT_EQ(world_->relay.count(), 0u);
}

TEST_F(RequestRouterTest, ATableWithoutAColonIsBadInEveryRequestThatReads) {
  EXPECT_EQ(client_->Send({{"request", "open"}, {"table", "nocolon"}, {"flags", "0"}}),
            "status=3 flags=0");
  EXPECT_EQ(client_->Legacy("key", 0, "proxy:"), "status=3 value=");
  EXPECT_EQ(client_->Current("key", 0, 0, ""), "status=3 flags=0 value=");
}

// --- lookup ---

TEST_F(RequestRouterTest, AFoundKeyInBothDialects) {
  EXPECT_EQ(client_->Legacy("user"), "(later)");
  EXPECT_EQ(Asked(), Sql("user"));
  EXPECT_EQ(Answered("box"), "status=0 value=box");
  EXPECT_EQ(client_->Current("user", 0, 1589329), "(later)");
  EXPECT_EQ(Answered("box"), "status=0 flags=1589329 value=box");
  EXPECT_EQ(counters().lookups, 2u);
  EXPECT_EQ(counters().found, 2u);
  EXPECT_EQ(counters().latency.count(), 2u);
  EXPECT_EQ(world_->router.counters().replies.ok, 2u);
}

TEST_F(RequestRouterTest, NoRowIsNoKey) {
  EXPECT_EQ(client_->Current("user", 0, 64), "(later)");
  Settle();
  world_->connection().AnswerRows({});
  EXPECT_EQ(client_->TakeLate(), "status=1 flags=64 value=");
  EXPECT_EQ(client_->Legacy("user"), "(later)");
  EXPECT_EQ(Answered(""), "status=1 value=") << "an empty value would be an error to the client";
  EXPECT_EQ(counters().not_found, 2u);
}

TEST_F(RequestRouterTest, ADatabaseThatCannotBeAskedIsRetry) {
  world_->factory.SetMood(0, fakes::ScriptedFactory::Mood::kRefuses);
  EXPECT_EQ(client_->Legacy("user"), "(later)");
  Settle();
  Settle();  // the only host is tried twice
  EXPECT_EQ(client_->TakeLate(), "status=2 value=");
  EXPECT_THAT(world_->lines.TakeText(),
              HasSubstr(std::string("table ") + kTable + ": lookup failed for now: "));
}

TEST_F(RequestRouterTest, AQueryThatTheServerRefusesIsConfigAndAKeysOwnFaultIsRetry) {
  EXPECT_EQ(client_->Legacy("user"), "(later)");
  Settle();
  world_->connection().Fail("42P01", "relation \"t\" does not exist");
  EXPECT_EQ(client_->TakeLate(), "status=5 value=");
  EXPECT_THAT(world_->lines.TakeText(), HasSubstr("relation \"t\" does not exist"));
  EXPECT_EQ(client_->Legacy("user"), "(later)");
  Settle();
  world_->connection().Fail("22P02", "invalid input syntax for type integer");
  EXPECT_EQ(client_->TakeLate(), "status=2 value=");
}

TEST_F(RequestRouterTest, ABrokenTableIsConfigAndTakesNoOtherWithIt) {
  EXPECT_EQ(client_->Legacy("user", 0, "pgsql:/broken.cf"), "status=5 value=");
  EXPECT_EQ(client_->Current("user", 0, 64, "pgsql:/broken.cf"), "status=5 flags=64 value=");
  EXPECT_THAT(world_->lines.TakeText(), HasSubstr("/broken.cf:2: error: no equals sign"));
  EXPECT_EQ(world_->registry.Find("pgsql:/broken.cf")->counters.config, 2u);
  EXPECT_EQ(client_->Legacy("user"), "(later)");
  EXPECT_EQ(Answered("box"), "status=0 value=box");
}

TEST_F(RequestRouterTest, AnEmptyKeyIsNoKeyWithAWarning) {
  EXPECT_EQ(client_->Legacy(""), "status=1 value=");
  EXPECT_EQ(client_->Current("", 540737, 1589329), "status=1 flags=1589329 value=");
  EXPECT_THAT(world_->lines.TakeText(), HasSubstr("empty key"));
  EXPECT_EQ(counters().suppressed, 2u);
}

TEST_F(RequestRouterTest, AKeyThatLacksWhatTheQueryAsksForIsNoKeyWithoutAQuery) {
  world_->Add(kTable, "query = SELECT '%u' || '%d' || '%2'\n");
  for (const char* key : {"user", "@example.com", "user@", "user@com"}) {
    EXPECT_EQ(client_->Legacy(key), "status=1 value=") << key;
  }
  EXPECT_EQ(counters().suppressed, 4u);
  EXPECT_EQ(client_->Legacy("user@example.com"), "(later)");
}

TEST_F(RequestRouterTest, ADomainListIsAskedWithTheFoldedDomain) {
  world_->Add(kTable, std::string(kQuery) + "domain = example.com, !no.example\n");
  EXPECT_EQ(client_->Legacy("user@EXAMPLE.com"), "(later)");
  EXPECT_EQ(Answered("box"), "status=0 value=box");
  for (const char* key : {"user@example.net", "user", "@example.com", "user@no.example",
                          "user@sub.example.com", "user@\xff\xfe"}) {
    EXPECT_EQ(client_->Legacy(key), "status=1 value=") << key;
  }
}

TEST_F(RequestRouterTest, EqualLookupsOfTwoClientsShareOneStatement) {
  Client other(&world_->router);
  EXPECT_EQ(client_->Legacy("USER", 16384 | 16), "(later)");
  EXPECT_EQ(other.Current("user", 0, 0), "(later)");
  Settle();
  EXPECT_EQ(world_->connection().unanswered(), 1u);
  world_->connection().Answer("box");
  EXPECT_EQ(client_->TakeLate(), "status=0 value=box");
  EXPECT_EQ(other.TakeLate(), "status=0 flags=0 value=box");
  EXPECT_EQ(counters().coalesced, 1u);
  EXPECT_EQ(world_->router.counters().coalesced, 1u);
}

TEST_F(RequestRouterTest, AClientThatIsGoneIsNotToldAndOthersAre) {
  Client other(&world_->router);
  client_->Legacy("user");
  other.Legacy("user");
  client_->conversation().Cancel();
  Settle();
  world_->connection().Answer("box");
  EXPECT_EQ(client_->TakeLate(), "");
  EXPECT_EQ(other.TakeLate(), "status=0 value=box");
}

TEST_F(RequestRouterTest, TheNextRequestMayComeFromInsideTheReply) {
  client_->then = [&] { EXPECT_EQ(client_->Current("two", 0, 7), "(later)"); };
  client_->Legacy("one");
  EXPECT_EQ(Answered("1"), "status=0 value=1");
  EXPECT_EQ(Answered("2"), "status=0 flags=7 value=2");
}

// --- folding and UTF-8 ---

TEST_F(RequestRouterTest, FoldingAsEachReleaseAsksForIt) {
  // A 3.12 client: the server does both.
  EXPECT_EQ(client_->Current("USER@\xC3\x84.example", 540737, 1589329), "(later)");
  EXPECT_EQ(Asked(), Sql("user@\xC3\xA4.example"));
  EXPECT_EQ(Answered("box"), "status=0 flags=1589329 value=box");
  // FOLD_FIX does not count in instance_flags.
  client_->Current("USER", 540737, 524289 | 16);
  EXPECT_EQ(Asked(), Sql("USER"));
  Answered("box");
  // With UTF-8 active it counts together with FIXED only.
  client_->Current("USER", 540737, 540737);
  EXPECT_EQ(Asked(), Sql("USER"));
  Answered("box");
  // A 3.7 client has folded already.
  client_->Legacy("User", 524353);
  EXPECT_EQ(Asked(), Sql("User"));
  Answered("box");
}

TEST_F(RequestRouterTest, WithoutSmtputf8TheServerFoldsAsciiOnly) {
  Make(false);
  client_->Legacy("USER@\xC3\x84.example", 540737);
  EXPECT_EQ(Asked(), Sql("user@\xC3\x84.example"));
  Answered("box");
  client_->Current("USER\xC4", 540737, 16384);
  EXPECT_EQ(Asked(), Sql("user\xC4")) << "no UTF-8 rules: byte for byte";
  Answered("box");
}

TEST_F(RequestRouterTest, Utf8RequestCountsInInstanceFlagsInTheCurrentDialect) {
  EXPECT_EQ(client_->Current("\xC4", 0, 524288), "(later)") << "not active: no UTF-8 rules";
  Asked();
  Answered("box");
  EXPECT_EQ(client_->Current("\xC4", 524288, 0), "status=1 flags=0 value=");
}

TEST_F(RequestRouterTest, AKeyThatIsNotUtf8IsNoKeyWithAWarning) {
  for (const char* key : {"\xC4", "a\xED\xA0\x80", "\xC0\x80", "\xF4\x90\x80\x80", "caf\xC3"}) {
    EXPECT_EQ(client_->Legacy(key, 524353), "status=1 value=") << key;
  }
  EXPECT_THAT(world_->lines.TakeText(), HasSubstr("not valid UTF-8"));
  EXPECT_EQ(counters().suppressed, 5u);
}

TEST_F(RequestRouterTest, AResultThatIsNotUtf8IsConfigFromTheCurrentDialectOn) {
  client_->Current("user", 524288, 524288);
  EXPECT_EQ(Answered("caf\xE9"), "status=5 flags=524288 value=");
  EXPECT_THAT(world_->lines.TakeText(), HasSubstr("the result is not valid UTF-8"));
  client_->Legacy("user", 524288);
  EXPECT_EQ(Answered("caf\xE9"), "status=0 value=caf\xE9") << "the client makes it that error";
  client_->Current("user", 0, 0);
  EXPECT_EQ(Answered("caf\xE9"), "status=0 flags=0 value=caf\xE9");
}

}  // namespace
}  // namespace proxymux::proxy
