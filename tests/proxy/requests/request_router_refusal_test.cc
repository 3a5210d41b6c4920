// Requests that are refused, malformed or none of ours: update, delete, sequence, nonsense, and
// other map types.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/requests/request_router.h"
#include "tests/proxy/requests/router_fixture.h"

namespace proxymux::proxy {
namespace {

using ::testing::HasSubstr;

using RouterRefusalTest = RouterFixture;

// --- update, delete, sequence ---

TEST_F(RouterRefusalTest, UpdateAndDeleteAreDeniedWhateverTheTable) {
  for (const char* table : {kTable, "unix:passwd.byname", "pgsql:/none.cf", "nocolon"}) {
    EXPECT_EQ(client_->Send({{"request", "update"},
                             {"table", table},
                             {"flags", "0"},
                             {"key", "k"},
                             {"value", "v"}}),
              "status=4");
    EXPECT_EQ(client_->Send({{"request", "delete"},
                             {"table", table},
                             {"instance_flags", "64"},
                             {"flags", "64"},
                             {"key", "k"}}),
              "status=4 flags=0");
  }
  EXPECT_THAT(world_->lines.TakeText(),
              HasSubstr(std::string("refused to update in table ") + kTable));
  EXPECT_EQ(world_->relay.count(), 0u);
  EXPECT_EQ(world_->router.counters().requests.update, 4u);
  EXPECT_EQ(world_->router.counters().requests.remove, 4u);
  EXPECT_EQ(world_->router.counters().replies.deny, 8u);
}

TEST_F(RouterRefusalTest, EachRequestIsCountedUnderItsName) {
  using Attributes = std::vector<std::pair<std::string, std::string>>;
  const Attributes table = {{"table", kTable}, {"flags", "0"}};
  const auto send = [&](const char* request, int times, const Attributes& more) {
    Attributes attributes = {{"request", request}};
    attributes.insert(attributes.end(), table.begin(), table.end());
    attributes.insert(attributes.end(), more.begin(), more.end());
    for (int i = 0; i < times; ++i) client_->Send(attributes);
  };
  send("open", 1, {});
  send("lookup", 2, {{"key", ""}});
  send("sequence", 3, {{"function", "0"}});
  send("update", 4, {{"key", "k"}, {"value", "v"}});
  send("delete", 5, {{"key", "k"}});
  send("begin", 6, {});
  const RequestCounts counts = world_->router.counters().requests;
  EXPECT_EQ(counts.open, 1u);
  EXPECT_EQ(counts.lookup, 2u);
  EXPECT_EQ(counts.sequence, 3u);
  EXPECT_EQ(counts.update, 4u);
  EXPECT_EQ(counts.remove, 5u);
  EXPECT_EQ(counts.unknown, 6u);
}

TEST_F(RouterRefusalTest, AHugeTableNameDoesNotFillTheLogOrTheMemory) {
  const std::string name = "x:" + std::string(60000, 'y');
  client_->Send(
      {{"request", "update"}, {"table", name}, {"flags", "0"}, {"key", "k"}, {"value", "v"}});
  client_->Legacy("k", 0, name);
  for (const std::string& line : world_->lines.Take()) EXPECT_LT(line.size(), 1000u);
}

TEST_F(RouterRefusalTest, ASequenceOnAPgsqlTableIsConfig) {
  EXPECT_EQ(client_->Send(
                {{"request", "sequence"}, {"table", kTable}, {"flags", "0"}, {"function", "0"}}),
            "status=5 key= value=");
  EXPECT_EQ(client_->Send({{"request", "sequence"},
                           {"table", kTable},
                           {"instance_flags", "0"},
                           {"flags", "0"},
                           {"function", "1"}}),
            "status=5 flags=0 key= value=");
  EXPECT_EQ(client_->Send(
                {{"request", "sequence"}, {"table", kTable}, {"flags", "0"}, {"function", "2"}}),
            "status=3 key= value=");
}

// --- malformed input ---

TEST_F(RouterRefusalTest, MalformedRequestsAreBadInTheirShapeAndTheConversationGoesOn) {
  EXPECT_EQ(client_->Send({{"request", "lookup"}, {"table", kTable}, {"flags", "x"}, {"key", "k"}}),
            "status=3 value=");
  EXPECT_EQ(client_->Send(
                {{"request", "lookup"}, {"table", kTable}, {"instance_flags", "0"}, {"key", "k"}}),
            "status=3 flags=0 value=");
  EXPECT_EQ(client_->Send({{"request", "open"}, {"table", kTable}}), "status=3 flags=0");
  EXPECT_EQ(client_->Send({{"request", "frob"}, {"table", kTable}}), "status=3");
  EXPECT_EQ(client_->Send({{"request", ""}}), "status=3");
  EXPECT_EQ(client_->Send({{"request", "update"}, {"table", kTable}, {"flags", "0"}, {"key", "k"}}),
            "status=3");
  EXPECT_EQ(
      client_->Send({{"request", "lookup"}, {"table", kTable}, {"flags", "-1x"}, {"key", "k"}}),
      "status=3 value=");
  EXPECT_EQ(world_->router.counters().malformed, 7u);
  EXPECT_EQ(world_->router.counters().replies.bad, 7u);
  EXPECT_EQ(client_->Legacy("user"), "(later)");
  EXPECT_THAT(world_->lines.TakeText(), HasSubstr("malformed lookup request"));
}

TEST_F(RouterRefusalTest, TheDialectOfTheLastGoodRequestShapesARefusalThatTellsNone) {
  EXPECT_EQ(client_->Send({{"request", "lookup"}, {"table", kTable}, {"key", "k"}}),
            "status=3 value=");
  client_->Send({{"request", "open"}, {"table", kTable}, {"instance_flags", "0"}});
  EXPECT_EQ(client_->Send({{"request", "lookup"}, {"table", kTable}, {"key", "k"}}),
            "status=3 flags=0 value=");
  Client other(&world_->router);
  EXPECT_EQ(other.Send({{"request", "lookup"}, {"table", kTable}, {"key", "k"}}),
            "status=3 value=");
}

TEST_F(RouterRefusalTest, WhatIsNoRequestGetsNoReply) {
  EXPECT_EQ(client_->SendBytes(std::string(1, '\0')), "(none)");
  EXPECT_EQ(client_->Send({{"table", kTable}, {"request", "lookup"}}), "(none)");
  EXPECT_THAT(world_->lines.TakeText(), HasSubstr("no request"));
  EXPECT_EQ(client_->Legacy("user"), "(later)");
}

TEST_F(RouterRefusalTest, ExtraAttributesAreIgnoredWithAWarning) {
  EXPECT_EQ(client_->Send({{"request", "lookup"},
                           {"table", kTable},
                           {"flags", "0"},
                           {"key", "k"},
                           {"more", "x"},
                           {"still", "y"}}),
            "(later)");
  EXPECT_EQ(Answered("box"), "status=0 value=box");
  EXPECT_THAT(world_->lines.TakeText(),
              HasSubstr("2 unexpected attributes behind a lookup request"));
}

TEST_F(RouterRefusalTest, NoCombinationOfFlagsEndsTheProcess) {
  for (int bit = 0; bit < 32; ++bit) {
    const std::uint32_t flag = 1u << bit;
    for (const std::uint32_t flags : {flag, ~flag, 0xFFFFFFFFu}) {
      EXPECT_EQ(client_->Current("Key", flags, flags), "(later)");
      Settle();
      world_->connection().Answer("box");
      EXPECT_EQ(client_->TakeLate(), "status=0 flags=" + std::to_string(flags) + " value=box");
    }
  }
}

TEST_F(RouterRefusalTest, RepeatedTroubleIsLoggedAFewTimesOnly) {
  for (int i = 0; i < 1000; ++i) client_->Legacy("user", 0, "pgsql:/broken.cf");
  EXPECT_LE(world_->lines.Take().size(), 3u);
}

TEST_F(RouterRefusalTest, AFloodOfMadeUpTableNamesDoesNotFloodTheLog) {
  for (int i = 0; i < 5000; ++i) {
    const std::string table = "pgsql:/made/up" + std::to_string(i);
    EXPECT_EQ(client_->Legacy("user", 0, table), "status=4 value=");
    EXPECT_EQ(
        client_->Send({{"request", "delete"}, {"table", table}, {"flags", "0"}, {"key", "k"}}),
        "status=4");
  }
  EXPECT_LE(world_->lines.Take().size(), 6u);
}

// --- other map types ---

TEST_F(RouterRefusalTest, OtherMapTypesGoToStockByteForByte) {
  const std::string request = List({{"request", "lookup"},
                                    {"table", "proxy:unix:passwd.byname"},
                                    {"flags", "64"},
                                    {"key", "root"}});
  EXPECT_EQ(client_->SendBytes(request), "(later)");
  ASSERT_EQ(world_->relay.count(), 1u);
  EXPECT_EQ(world_->relay.asked(0).request.list, request);
  EXPECT_EQ(world_->relay.asked(0).request.table, "unix:passwd.byname");
  EXPECT_EQ(world_->relay.asked(0).request.step, SequenceStep::kNone);
  EXPECT_EQ(world_->relay.asked(0).lease, nullptr);
  world_->relay.Reply(0, List({{"status", "0"}, {"value", "root:x:0:0"}, {"odd", "kept"}}));
  EXPECT_EQ(client_->TakeLate(), "status=0 value=root:x:0:0 odd=kept");
}

TEST_F(RouterRefusalTest, WhatStockAnsweredIsCountedWithTheRest) {
  client_->Legacy("root", 0, "unix:passwd.byname");
  world_->relay.Reply(0, List({{"status", "0"}, {"value", "x"}}));
  client_->Current("nobody", 0, 0, "unix:passwd.byname");
  world_->relay.Reply(1, List({{"status", "1"}, {"flags", "0"}, {"value", ""}}));
  client_->Send({{"request", "open"}, {"table", "unix:passwd.byname"}, {"flags", "0"}});
  world_->relay.Reply(2, List({{"status", "3"}, {"flags", "0"}}));
  const ReplyCounts& replies = world_->router.counters().replies;
  EXPECT_EQ(replies.ok, 1u);
  EXPECT_EQ(replies.not_found, 1u);
  EXPECT_EQ(replies.bad, 1u);
}

TEST_F(RouterRefusalTest, WhenStockCannotBeReachedItIsRetryInTheRequestsShape) {
  client_->Legacy("root", 64, "unix:passwd.byname");
  world_->relay.Fail(0, "no such file");
  EXPECT_EQ(client_->TakeLate(), "status=2 value=");
  EXPECT_THAT(world_->lines.TakeText(), HasSubstr("no such file"));
  client_->Current("root", 0, 64, "unix:passwd.byname");
  world_->relay.Fail(1, "no such file");
  EXPECT_EQ(client_->TakeLate(), "status=2 flags=64 value=");
}

// The client then asks again every second, as it does when there is no service at all. We cannot
// answer in stock's place: what kind of table it is (FIXED or PATTERN) is known to stock only, and
// a wrong word about that lasts as long as the client.
TEST_F(RouterRefusalTest, AnOpenThatStockDoesNotAnswerIsNeitherGuessedNorDenied) {
  client_->Send({{"request", "open"}, {"table", "unix:passwd.byname"}, {"instance_flags", "64"}});
  world_->relay.Fail(0, "no such file");
  EXPECT_EQ(client_->TakeLate(), "status=2 flags=0");
}

TEST_F(RouterRefusalTest, AClientThatIsGoneGivesItsRelayedRequestUp) {
  client_->Legacy("root", 0, "unix:passwd.byname");
  EXPECT_TRUE(world_->relay.asked(0).wanted);
  client_->conversation().Cancel();
  EXPECT_FALSE(world_->relay.asked(0).wanted);
}

TEST_F(RouterRefusalTest, ASequenceKeepsItsLeaseAndEachClientHasItsOwn) {
  const auto step = [](const char* function) {
    return std::vector<std::pair<std::string, std::string>>{{"request", "sequence"},
                                                            {"table", "unix:passwd.byname"},
                                                            {"flags", "0"},
                                                            {"function", function}};
  };
  {
    Client other(&world_->router);
    client_->Send(step("0"));
    world_->relay.Reply(0, List({{"status", "0"}, {"key", "root"}, {"value", "x"}}));
    other.Send(step("0"));
    client_->Send(step("1"));
    EXPECT_EQ(world_->relay.asked(0).request.step, SequenceStep::kFirst);
    EXPECT_EQ(world_->relay.asked(2).request.step, SequenceStep::kNext);
    EXPECT_NE(world_->relay.asked(0).lease, nullptr);
    EXPECT_EQ(world_->relay.asked(0).lease, world_->relay.asked(2).lease);
    EXPECT_NE(world_->relay.asked(0).lease, world_->relay.asked(1).lease);
    EXPECT_EQ(world_->relay.leases(), 2);
  }
  EXPECT_EQ(world_->relay.leases(), 1);
}

TEST_F(RouterRefusalTest, TheNextRequestMayComeFromInsideARelayedReply) {
  client_->then = [&] { EXPECT_EQ(client_->Legacy("b", 0, "unix:passwd.byname"), "(later)"); };
  client_->Legacy("a", 0, "unix:passwd.byname");
  world_->relay.Reply(0, List({{"status", "1"}, {"value", ""}}));
  EXPECT_TRUE(world_->relay.asked(1).wanted) << "the first one's end gave up the second";
  world_->relay.Reply(1, List({{"status", "0"}, {"value", "b"}}));
  EXPECT_EQ(client_->TakeLate(), "status=1 value=\nstatus=0 value=b");
}

}  // namespace
}  // namespace proxymux::proxy
