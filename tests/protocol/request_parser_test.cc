#include "protocol/request_parser.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/request_encoder.h"

namespace proxymux::protocol {
namespace {

AttributeList List(std::initializer_list<Attribute> attributes) {
  AttributeList list;
  for (const Attribute& attribute : attributes) list.Add(attribute);
  return list;
}

Request Parsed(std::initializer_list<Attribute> attributes, Dialect last = Dialect::kLegacy) {
  const ParseResult result = ParseRequest(List(attributes), last);
  const Request* request = std::get_if<Request>(&result);
  if (request == nullptr) {
    ADD_FAILURE() << "not a request";
    return {};
  }
  return *request;
}

Malformed Refused(std::initializer_list<Attribute> attributes, Dialect last = Dialect::kLegacy) {
  const ParseResult result = ParseRequest(List(attributes), last);
  const Malformed* malformed = std::get_if<Malformed>(&result);
  if (malformed == nullptr) {
    ADD_FAILURE() << "not refused as malformed";
    return {};
  }
  EXPECT_FALSE(malformed->reason.empty());
  return *malformed;
}

TEST(RequestParser, LegacyRequestsAsPostfix37SendsThem) {
  const Request open = Parsed({{"request", "open"}, {"table", "pgsql:/a.cf"}, {"flags", "16448"}});
  EXPECT_EQ(open, (Request{Dialect::kLegacy, 0, OpenRequest{"pgsql:/a.cf", 16448}}));

  const Request lookup = Parsed({{"request", "lookup"},
                                 {"table", "pgsql:/a.cf"},
                                 {"flags", "524353"},
                                 {"key", "user1@example1.com"}});
  EXPECT_EQ(lookup, (Request{Dialect::kLegacy, 0,
                             LookupRequest{"pgsql:/a.cf", 524353, 524353, "user1@example1.com"}}));

  const Request update = Parsed(
      {{"request", "update"}, {"table", "t:x"}, {"flags", "1"}, {"key", "k"}, {"value", "v"}});
  EXPECT_EQ(update, (Request{Dialect::kLegacy, 0, UpdateRequest{"t:x", 1, 1, "k", "v"}}));

  const Request erase =
      Parsed({{"request", "delete"}, {"table", "t:x"}, {"flags", "1"}, {"key", "k"}});
  EXPECT_EQ(erase, (Request{Dialect::kLegacy, 0, DeleteRequest{"t:x", 1, 1, "k"}}));

  const Request sequence =
      Parsed({{"request", "sequence"}, {"table", "t:x"}, {"flags", "1"}, {"function", "1"}});
  EXPECT_EQ(sequence,
            (Request{Dialect::kLegacy, 0, SequenceRequest{"t:x", 1, 1, SequenceFunction::kNext}}));
}

TEST(RequestParser, RequestsAsPostfix311SendsThem) {
  const Request open =
      Parsed({{"request", "open"}, {"table", "pgsql:/a.cf"}, {"instance_flags", "540737"}});
  EXPECT_EQ(open, (Request{Dialect::kInstanceFlags, 0, OpenRequest{"pgsql:/a.cf", 540737}}));

  const Request lookup = Parsed({{"request", "lookup"},
                                 {"table", "pgsql:/a.cf"},
                                 {"instance_flags", "540737"},
                                 {"flags", "1589329"},
                                 {"key", ""}});
  EXPECT_EQ(lookup, (Request{Dialect::kInstanceFlags, 0,
                             LookupRequest{"pgsql:/a.cf", 540737, 1589329, ""}}));

  const Request update = Parsed({{"request", "update"},
                                 {"table", "t:x"},
                                 {"instance_flags", "1"},
                                 {"flags", "2"},
                                 {"key", "k"},
                                 {"value", "v"}});
  EXPECT_EQ(update, (Request{Dialect::kInstanceFlags, 0, UpdateRequest{"t:x", 1, 2, "k", "v"}}));

  const Request erase = Parsed({{"request", "delete"},
                                {"table", "t:x"},
                                {"instance_flags", "1"},
                                {"flags", "2"},
                                {"key", "k"}});
  EXPECT_EQ(erase, (Request{Dialect::kInstanceFlags, 0, DeleteRequest{"t:x", 1, 2, "k"}}));

  const Request sequence = Parsed({{"request", "sequence"},
                                   {"table", "t:x"},
                                   {"instance_flags", "1"},
                                   {"flags", "2"},
                                   {"function", "0"}});
  EXPECT_EQ(sequence, (Request{Dialect::kInstanceFlags, 0,
                               SequenceRequest{"t:x", 1, 2, SequenceFunction::kFirst}}));
}

TEST(RequestParser, EachRequestTellsItsOwnDialectWhateverCameBefore) {
  EXPECT_EQ(Parsed({{"request", "open"}, {"table", "t:x"}, {"flags", "0"}}, Dialect::kInstanceFlags)
                .dialect,
            Dialect::kLegacy);
  EXPECT_EQ(
      Parsed({{"request", "open"}, {"table", "t:x"}, {"instance_flags", "0"}}, Dialect::kLegacy)
          .dialect,
      Dialect::kInstanceFlags);
}

TEST(RequestParser, LegacyLookupWithExtraAttributeIsAnswered) {
  const Request lookup = Parsed(
      {{"request", "lookup"}, {"table", "t:x"}, {"flags", "0"}, {"key", "k"}, {"colour", "blue"}});
  EXPECT_EQ(lookup.extra_attributes, 1u);
  EXPECT_EQ(std::get<LookupRequest>(lookup.operation).key, "k");
}

TEST(RequestParser, ExtraAttributesBeyondWhatAListKeepsAreCounted) {
  AttributeList list = List({{"request", "open"}, {"table", "t:x"}, {"instance_flags", "0"}});
  for (int i = 0; i < 100; ++i) list.Add({"more", "and more"});
  const ParseResult result = ParseRequest(list, Dialect::kLegacy);
  ASSERT_TRUE(std::holds_alternative<Request>(result));
  EXPECT_EQ(std::get<Request>(result).extra_attributes, 100u);
}

TEST(RequestParser, AListThatDoesNotBeginWithRequestIsNotAnswered) {
  const ParseResult empty = ParseRequest(AttributeList(), Dialect::kLegacy);
  ASSERT_TRUE(std::holds_alternative<Unanswered>(empty));
  EXPECT_EQ(std::get<Unanswered>(empty).found, "");

  const ParseResult misordered =
      ParseRequest(List({{"table", "t:x"}, {"request", "open"}, {"flags", "0"}}), Dialect::kLegacy);
  ASSERT_TRUE(std::holds_alternative<Unanswered>(misordered));
  EXPECT_EQ(std::get<Unanswered>(misordered).found, "table");

  const ParseResult upper_case = ParseRequest(List({{"Request", "open"}}), Dialect::kLegacy);
  EXPECT_TRUE(std::holds_alternative<Unanswered>(upper_case));
}

TEST(RequestParser, AnUnknownRequestHasNoShape) {
  for (std::string_view name : {"", "Lookup", "lookup ", "unknown", "close"}) {
    const Malformed malformed =
        Refused({{"request", name}, {"table", "t:x"}, {"flags", "0"}, {"key", "k"}});
    EXPECT_EQ(malformed.kind, RequestKind::kUnknown) << name;
    EXPECT_EQ(malformed.found, name);
  }
}

TEST(RequestParser, AMissingAttributeIsMalformedInTheShapeOfTheRequest) {
  EXPECT_EQ(Refused({{"request", "open"}}).kind, RequestKind::kOpen);
  EXPECT_EQ(Refused({{"request", "delete"}, {"table", "t:x"}}).kind, RequestKind::kDelete);

  const Malformed lookup = Refused({{"request", "lookup"}, {"table", "t:x"}, {"flags", "0"}});
  EXPECT_EQ(lookup.kind, RequestKind::kLookup);
  EXPECT_EQ(lookup.attribute, "key");
  EXPECT_EQ(lookup.found, "");

  const Malformed update =
      Refused({{"request", "update"}, {"table", "t:x"}, {"flags", "0"}, {"key", "k"}});
  EXPECT_EQ(update.kind, RequestKind::kUpdate);
  EXPECT_EQ(update.attribute, "value");
}

TEST(RequestParser, MisnamedOrMisorderedAttributesAreMalformed) {
  const Malformed misordered =
      Refused({{"request", "lookup"}, {"table", "t:x"}, {"key", "k"}, {"flags", "0"}});
  EXPECT_EQ(misordered.attribute, "flags");
  EXPECT_EQ(misordered.found, "key");
  Refused({{"request", "lookup"}, {"flags", "0"}, {"table", "t:x"}, {"key", "k"}});
  Refused({{"request", "lookup"}, {"map", "t:x"}, {"flags", "0"}, {"key", "k"}});
  // The second flags attribute of the newer dialect cannot be left out.
  Refused({{"request", "lookup"}, {"table", "t:x"}, {"instance_flags", "0"}, {"key", "k"}});
}

TEST(RequestParser, AFlagsAttributeThatIsNoNumberIsMalformed) {
  const Malformed legacy =
      Refused({{"request", "lookup"}, {"table", "t:x"}, {"flags", "12x"}, {"key", "k"}});
  EXPECT_EQ(legacy.dialect, Dialect::kLegacy);
  EXPECT_EQ(legacy.attribute, "flags");
  EXPECT_EQ(legacy.found, "12x");
  const Malformed instance =
      Refused({{"request", "open"}, {"table", "t:x"}, {"instance_flags", ""}});
  EXPECT_EQ(instance.dialect, Dialect::kInstanceFlags);
  EXPECT_EQ(instance.attribute, "instance_flags");
}

TEST(RequestParser, TheDialectOfARefusalIsToldByTheListElseByTheConnection) {
  // Told by the attribute after the table.
  EXPECT_EQ(Refused({{"request", "lookup"}, {"table", "t:x"}, {"instance_flags", "0"}}).dialect,
            Dialect::kInstanceFlags);
  EXPECT_EQ(
      Refused({{"request", "lookup"}, {"table", "t:x"}, {"flags", "0"}}, Dialect::kInstanceFlags)
          .dialect,
      Dialect::kLegacy);
  // Not told: by the connection's last good request.
  for (Dialect last : {Dialect::kLegacy, Dialect::kInstanceFlags}) {
    EXPECT_EQ(Refused({{"request", "lookup"}}, last).dialect, last);
    EXPECT_EQ(Refused({{"request", "lookup"}, {"table", "t:x"}}, last).dialect, last);
    EXPECT_EQ(Refused({{"request", "lookup"}, {"table", "t:x"}, {"key", "k"}}, last).dialect, last);
    EXPECT_EQ(Refused({{"request", "lookup"}, {"key", "k"}, {"flags", "0"}}, last).dialect, last);
  }
}

TEST(RequestParser, SequenceFunctionsOtherThanFirstAndNextAreMalformed) {
  for (std::string_view function : {"2", "-1", "first", ""}) {
    const Malformed malformed = Refused(
        {{"request", "sequence"}, {"table", "t:x"}, {"flags", "0"}, {"function", function}});
    EXPECT_EQ(malformed.kind, RequestKind::kSequence);
    EXPECT_EQ(malformed.attribute, "function");
    EXPECT_EQ(malformed.found, function);
  }
}

TEST(RequestParser, AllFlagBitsAtOnceAreAccepted) {
  const Request open = Parsed({{"request", "open"}, {"table", "t:x"}, {"flags", "4294967295"}});
  EXPECT_EQ(std::get<OpenRequest>(open.operation).instance_flags, 4294967295u);
}

TEST(RequestParser, LeadingProxyPrefixesAreStripped) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"pgsql:/a.cf", "pgsql:/a.cf"},
      {"proxy:pgsql:/a.cf", "pgsql:/a.cf"},
      {"proxy:proxy:proxy:pgsql:/a.cf", "pgsql:/a.cf"},
      {"pgsql:proxy:x", "pgsql:proxy:x"},
      {"PROXY:x", "PROXY:x"},
      {":", ":"},
  };
  for (const auto& [sent, table] : cases) {
    for (std::string_view name : {"flags", "instance_flags"}) {
      EXPECT_EQ(TableOf(Parsed({{"request", "open"}, {"table", sent}, {name, "0"}}).operation),
                table);
    }
  }
}

TEST(RequestParser, ATableWithoutAColonIsMalformedExceptWhereEveryTableIsDenied) {
  for (std::string_view table : {"", "pgsql", "proxy:", "proxy:pgsql", "proxy:proxy:"}) {
    EXPECT_EQ(Refused({{"request", "open"}, {"table", table}, {"flags", "0"}}).attribute, "table");
    EXPECT_EQ(Refused({{"request", "lookup"}, {"table", table}, {"flags", "0"}, {"key", "k"}}).kind,
              RequestKind::kLookup);
    EXPECT_EQ(
        Refused({{"request", "sequence"}, {"table", table}, {"flags", "0"}, {"function", "0"}})
            .kind,
        RequestKind::kSequence);
    Parsed({{"request", "delete"}, {"table", table}, {"flags", "0"}, {"key", "k"}});
    Parsed({{"request", "update"}, {"table", table}, {"flags", "0"}, {"key", ""}, {"value", ""}});
  }
}

TEST(RequestParser, MissingAttributesAreReportedBeforeABadTable) {
  const Malformed malformed = Refused({{"request", "lookup"}, {"table", "pgsql"}, {"flags", "0"}});
  EXPECT_EQ(malformed.attribute, "key");
}

TEST(RequestEncoder, WritesTheBytesOfEitherDialect) {
  using std::string_literals::operator""s;
  std::string out;
  AppendRequest({Dialect::kLegacy, 0, LookupRequest{"pgsql:/a.cf", 7, 64, "k"}}, &out);
  EXPECT_EQ(out, "request\0lookup\0table\0pgsql:/a.cf\0flags\00064\0key\0k\0\0"s);
  out.clear();
  AppendRequest({Dialect::kInstanceFlags, 0, LookupRequest{"pgsql:/a.cf", 7, 64, "k"}}, &out);
  EXPECT_EQ(out,
            "request\0lookup\0table\0pgsql:/a.cf\0instance_flags\0007\0flags\00064\0key\0k\0\0"s);
  out.clear();
  AppendRequest({Dialect::kLegacy, 0, OpenRequest{"t:x", 9}}, &out);
  EXPECT_EQ(out, "request\0open\0table\0t:x\0flags\0009\0\0"s);
}

TEST(RequestEncoder, WhatItWritesIsParsedBack) {
  const std::vector<Operation> operations = {
      OpenRequest{"t:x", 5},
      LookupRequest{"t:x", 5, 5, "key"},
      UpdateRequest{"t:x", 5, 5, "key", "value"},
      DeleteRequest{"t:x", 5, 5, "key"},
      SequenceRequest{"t:x", 5, 5, SequenceFunction::kFirst},
      SequenceRequest{"t:x", 5, 5, SequenceFunction::kNext},
  };
  for (Dialect dialect : {Dialect::kLegacy, Dialect::kInstanceFlags}) {
    for (const Operation& operation : operations) {
      const Request request{dialect, 0, operation};
      std::string bytes;
      AppendRequest(request, &bytes);
      AttributeDecoder decoder(1 << 10);
      AttributeList list;
      std::size_t list_bytes = 0;
      ASSERT_EQ(decoder.Decode(bytes, &list, &list_bytes), AttributeDecoder::Result::kList);
      const ParseResult result = ParseRequest(list, Dialect::kLegacy);
      ASSERT_TRUE(std::holds_alternative<Request>(result));
      EXPECT_EQ(std::get<Request>(result), request);
    }
  }
}

}  // namespace
}  // namespace proxymux::protocol
