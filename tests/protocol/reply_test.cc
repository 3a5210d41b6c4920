#include "protocol/reply.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <optional>
#include <string>

#include "protocol/attribute_codec.h"
#include "protocol/reply_parser.h"

namespace proxymux::protocol {
namespace {

using std::string_literals::operator""s;

constexpr RequestKind kAllKinds[] = {RequestKind::kOpen,     RequestKind::kLookup,
                                     RequestKind::kUpdate,   RequestKind::kDelete,
                                     RequestKind::kSequence, RequestKind::kUnknown};

std::string Encoded(RequestKind kind, Dialect dialect, const Reply& reply) {
  std::string out;
  AppendReply(kind, dialect, reply, &out);
  return out;
}

// `bytes` must outlive the list.
AttributeList Decoded(const std::string& bytes) {
  AttributeDecoder decoder(1 << 20);
  AttributeList list;
  std::size_t list_bytes = 0;
  EXPECT_EQ(decoder.Decode(bytes, &list, &list_bytes), AttributeDecoder::Result::kList);
  EXPECT_EQ(list_bytes, bytes.size());
  return list;
}

TEST(Reply, ShapesBefore311) {
  const Dialect dialect = Dialect::kLegacy;
  const Reply reply{Status::kOk, 16, "k", "v"};
  EXPECT_EQ(Encoded(RequestKind::kOpen, dialect, reply), "status\0000\0flags\00016\0\0"s);
  EXPECT_EQ(Encoded(RequestKind::kLookup, dialect, reply), "status\0000\0value\0v\0\0"s);
  EXPECT_EQ(Encoded(RequestKind::kUpdate, dialect, reply), "status\0000\0\0"s);
  EXPECT_EQ(Encoded(RequestKind::kDelete, dialect, reply), "status\0000\0\0"s);
  EXPECT_EQ(Encoded(RequestKind::kSequence, dialect, reply), "status\0000\0key\0k\0value\0v\0\0"s);
}

TEST(Reply, ShapesFrom311On) {
  const Dialect dialect = Dialect::kInstanceFlags;
  const Reply reply{Status::kOk, 16, "k", "v"};
  EXPECT_EQ(Encoded(RequestKind::kOpen, dialect, reply), "status\0000\0flags\00016\0\0"s);
  EXPECT_EQ(Encoded(RequestKind::kLookup, dialect, reply),
            "status\0000\0flags\00016\0value\0v\0\0"s);
  EXPECT_EQ(Encoded(RequestKind::kUpdate, dialect, reply), "status\0000\0flags\00016\0\0"s);
  EXPECT_EQ(Encoded(RequestKind::kDelete, dialect, reply), "status\0000\0flags\00016\0\0"s);
  EXPECT_EQ(Encoded(RequestKind::kSequence, dialect, reply),
            "status\0000\0flags\00016\0key\0k\0value\0v\0\0"s);
}

TEST(Reply, StatusNumbersAreThoseOfTheWire) {
  const std::pair<Status, std::string> numbers[] = {{Status::kOk, "0"},    {Status::kNoKey, "1"},
                                                    {Status::kRetry, "2"}, {Status::kBad, "3"},
                                                    {Status::kDeny, "4"},  {Status::kConfig, "5"}};
  for (const auto& [status, number] : numbers) {
    EXPECT_EQ(Encoded(RequestKind::kDelete, Dialect::kLegacy, {status, 0, "", ""}),
              "status\0"s + number + "\0\0"s)
        << StatusName(status);
  }
}

TEST(Reply, ABadReplyHasTheShapeOfTheRequestsReplyWithNothingInIt) {
  std::string out;
  AppendBadReply(RequestKind::kLookup, Dialect::kLegacy, &out);
  EXPECT_EQ(out, "status\0003\0value\0\0\0"s);
  out.clear();
  AppendBadReply(RequestKind::kLookup, Dialect::kInstanceFlags, &out);
  EXPECT_EQ(out, "status\0003\0flags\0000\0value\0\0\0"s);
  out.clear();
  AppendBadReply(RequestKind::kSequence, Dialect::kLegacy, &out);
  EXPECT_EQ(out, "status\0003\0key\0\0value\0\0\0"s);
  for (Dialect dialect : {Dialect::kLegacy, Dialect::kInstanceFlags}) {
    out.clear();
    AppendBadReply(RequestKind::kUnknown, dialect, &out);
    EXPECT_EQ(out, "status\0003\0\0"s);
  }
}

TEST(Reply, ALookupIsNeverAnsweredOkWithAnEmptyValue) {
  EXPECT_EQ(Encoded(RequestKind::kLookup, Dialect::kLegacy, {Status::kOk, 0, "", ""}),
            "status\0001\0value\0\0\0"s);
  EXPECT_EQ(Encoded(RequestKind::kLookup, Dialect::kLegacy, {Status::kOk, 0, "", "\0x"s}),
            "status\0001\0value\0\0\0"s);
  EXPECT_EQ(Encoded(RequestKind::kLookup, Dialect::kLegacy, {Status::kRetry, 0, "", ""}),
            "status\0002\0value\0\0\0"s);
}

TEST(Reply, TheGreetingIsOneList) {
  std::string out;
  AppendGreeting(&out);
  EXPECT_EQ(out, "protocol\0proxymap_protocol\0\0"s);
  EXPECT_TRUE(IsGreeting(Decoded(out)));
}

TEST(ReplyParser, ReadsWhatTheEncoderWrites) {
  for (RequestKind kind : kAllKinds) {
    for (Dialect dialect : {Dialect::kLegacy, Dialect::kInstanceFlags}) {
      const ReplyShape shape = ShapeOfReply(kind, dialect);
      Reply reply{Status::kConfig, 0, "", ""};
      if (shape.flags) reply.flags = 4294967295;
      if (shape.key) reply.key = "key";
      if (shape.value) reply.value = "value";
      const std::string bytes = Encoded(kind, dialect, reply);
      EXPECT_EQ(ParseReply(Decoded(bytes), kind, dialect), reply) << RequestName(kind);
    }
  }
}

TEST(ReplyParser, RefusesWhatIsNotExactlyOfTheShape) {
  const auto parsed = [](const std::string& bytes) {
    return ParseReply(Decoded(bytes), RequestKind::kLookup, Dialect::kInstanceFlags);
  };
  EXPECT_TRUE(parsed("status\0001\0flags\0007\0value\0\0\0"s).has_value());
  EXPECT_FALSE(parsed("\0"s).has_value()) << "empty";
  EXPECT_FALSE(parsed("status\0001\0value\0\0\0"s).has_value()) << "the other dialect";
  EXPECT_FALSE(parsed("status\0006\0flags\0007\0value\0\0\0"s).has_value()) << "no such status";
  EXPECT_FALSE(parsed("status\0x\0flags\0007\0value\0\0\0"s).has_value()) << "no number";
  EXPECT_FALSE(parsed("status\0001\0flags\0x\0value\0\0\0"s).has_value()) << "no number";
  EXPECT_FALSE(parsed("status\0001\0flags\0007\0\0"s).has_value()) << "no value";
  EXPECT_FALSE(parsed("status\0001\0value\0\0flags\0007\0\0"s).has_value()) << "misordered";
  EXPECT_FALSE(parsed("status\0001\0flags\0007\0value\0\0more\0\0\0"s).has_value()) << "extra";
  EXPECT_FALSE(parsed("protocol\0proxymap_protocol\0\0"s).has_value()) << "greeting";
}

TEST(ReplyParser, OnlyTheGreetingIsTheGreeting) {
  EXPECT_FALSE(IsGreeting(Decoded("\0"s)));
  EXPECT_FALSE(IsGreeting(Decoded("protocol\0other_protocol\0\0"s)));
  EXPECT_FALSE(IsGreeting(Decoded("status\0000\0\0"s)));
  EXPECT_FALSE(IsGreeting(Decoded("protocol\0proxymap_protocol\0more\0\0\0"s)));
}

}  // namespace
}  // namespace proxymux::protocol
