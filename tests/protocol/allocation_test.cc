// Reading a request and writing its reply must not allocate once the reply's string has grown: they
// run for every lookup.
#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <variant>

#include "protocol/attribute_codec.h"
#include "protocol/reply.h"
#include "protocol/reply_parser.h"
#include "protocol/request_encoder.h"
#include "protocol/request_parser.h"
#include "tests/harness/allocations.h"

namespace proxymux::protocol {
namespace {

using harness::allocations;

TEST(Allocations, TheCounterCounts) {
  harness::CountAllocationsOfThisThread();
  const std::size_t before = allocations;
  std::string text(100, 'x');
  EXPECT_GT(allocations, before);
  EXPECT_EQ(text.size(), 100u);
}

TEST(Allocations, NoneFromRequestToReplyInSteadyState) {
  harness::CountAllocationsOfThisThread();
  for (Dialect dialect : {Dialect::kLegacy, Dialect::kInstanceFlags}) {
    const std::string key(60, 'k');
    const std::string value(200, 'v');
    std::string request_bytes;
    std::string reply_bytes;
    AttributeDecoder decoder(64 << 10);
    AttributeDecoder reply_decoder(64 << 10);
    std::size_t answered = 0;
    std::size_t before = 0;
    for (int round = 0; round < 1000; ++round) {
      if (round == 1) before = allocations;
      request_bytes.clear();
      reply_bytes.clear();
      AppendRequest({dialect, 0, LookupRequest{"pgsql:/etc/postfix/virtual_aliases.cf", 1, 2, key}},
                    &request_bytes);
      AttributeList list;
      std::size_t list_bytes = 0;
      // In two pieces, so that the decoder has to keep its place.
      decoder.Decode(std::string_view(request_bytes).substr(0, 20), &list, &list_bytes);
      if (decoder.Decode(request_bytes, &list, &list_bytes) != AttributeDecoder::Result::kList) {
        continue;
      }
      const ParseResult result = ParseRequest(list, dialect);
      const Request* request = std::get_if<Request>(&result);
      if (request == nullptr) continue;
      const LookupRequest* lookup = std::get_if<LookupRequest>(&request->operation);
      if (lookup == nullptr || lookup->key != key) continue;
      AppendReply(RequestKind::kLookup, request->dialect, {Status::kOk, 2, {}, value},
                  &reply_bytes);
      AttributeList reply_list;
      reply_decoder.Decode(reply_bytes, &reply_list, &list_bytes);
      answered += ParseReply(reply_list, RequestKind::kLookup, dialect)->value == value;
    }
    EXPECT_EQ(allocations, before);
    EXPECT_EQ(answered, 1000u);
  }
}

}  // namespace
}  // namespace proxymux::protocol
