// The codec against what real Postfix clients and services sent: every list of every transcript is
// decoded, understood and encoded again to the same bytes.
#include <gtest/gtest.h>

#include <cstddef>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/attribute_codec.h"
#include "protocol/dict_flags.h"
#include "protocol/reply.h"
#include "protocol/reply_parser.h"
#include "protocol/request_encoder.h"
#include "protocol/request_parser.h"
#include "tests/golden/transcript.h"

namespace proxymux::golden {
namespace {

using protocol::AttributeDecoder;
using protocol::AttributeList;
using protocol::Dialect;
using protocol::LookupRequest;
using protocol::Malformed;
using protocol::OpenRequest;
using protocol::ParseResult;
using protocol::Reply;
using protocol::Request;
using protocol::RequestKind;
using protocol::Status;

constexpr std::size_t kLimit = 64 << 20;  // stock has none

struct Release {
  std::string directory;
  Dialect dialect;
};
const Release kPostfix37 = {"tests/golden/postfix-3.7", Dialect::kLegacy};
const Release kPostfix312 = {"tests/golden/postfix-3.12", Dialect::kInstanceFlags};

// One request and its reply, with the bytes that the views point into.
struct Exchange {
  std::string request_bytes;
  ParseResult request;
  std::string reply_bytes;
  std::optional<Reply> reply;

  RequestKind kind() const {
    if (const auto* malformed = std::get_if<Malformed>(&request)) return malformed->kind;
    return protocol::KindOf(std::get<Request>(request).operation);
  }
  Dialect dialect() const {
    if (const auto* malformed = std::get_if<Malformed>(&request)) return malformed->dialect;
    return std::get<Request>(request).dialect;
  }
  template <typename AnyRequest>
  const AnyRequest* As() const {
    const Request* parsed = std::get_if<Request>(&request);
    return parsed == nullptr ? nullptr : std::get_if<AnyRequest>(&parsed->operation);
  }
};

std::optional<AttributeList> DecodeWhole(const std::string& bytes) {
  AttributeDecoder decoder(kLimit);
  AttributeList list;
  std::size_t list_bytes = 0;
  if (decoder.Decode(bytes, &list, &list_bytes) != AttributeDecoder::Result::kList ||
      list_bytes != bytes.size()) {
    return std::nullopt;
  }
  return list;
}

// Follows one conversation and checks it on the way.
class ConversationCheck {
 public:
  ConversationCheck(const Release& release, const Conversation& conversation) : release_(release) {
    for (const Turn& turn : conversation.turns) {
      SCOPED_TRACE(testing::Message() << "line " << turn.line);
      const bool from_client = turn.sender == Sender::kClient;
      Stream& stream = from_client ? client_ : server_;
      stream.pending += turn.bytes;
      while (std::optional<std::string> bytes = stream.NextList()) {
        from_client ? OnClientList(*std::move(bytes)) : OnServerList(*std::move(bytes));
      }
    }
    EXPECT_EQ(Escape(client_.pending), "") << "the client's last list has no end";
    EXPECT_EQ(Escape(server_.pending), "") << "the server's last list has no end";
    EXPECT_TRUE(greeted_) << "no greeting";
    EXPECT_EQ(answered_, exchanges_.size()) << "a request has no reply";
  }

  const std::deque<Exchange>& exchanges() const { return exchanges_; }

 private:
  struct Stream {
    AttributeDecoder decoder{kLimit};
    std::string pending;

    std::optional<std::string> NextList() {
      AttributeList list;
      std::size_t list_bytes = 0;
      if (decoder.Decode(pending, &list, &list_bytes) != AttributeDecoder::Result::kList) {
        return std::nullopt;
      }
      std::string bytes = pending.substr(0, list_bytes);
      pending.erase(0, list_bytes);
      return bytes;
    }
  };

  void OnClientList(std::string bytes) {
    Exchange& exchange = exchanges_.emplace_back();
    exchange.request_bytes = std::move(bytes);
    const std::optional<AttributeList> list = DecodeWhole(exchange.request_bytes);
    ASSERT_TRUE(list);
    exchange.request = protocol::ParseRequest(*list, last_dialect_);
    if (std::holds_alternative<protocol::Unanswered>(exchange.request)) {
      exchanges_.pop_back();
      return;
    }
    const Request* request = std::get_if<Request>(&exchange.request);
    if (request == nullptr) return;
    last_dialect_ = request->dialect;
    EXPECT_EQ(request->dialect, release_.dialect);
    if (request->extra_attributes != 0) return;
    std::string encoded;
    protocol::AppendRequest(*request, &encoded);
    EXPECT_EQ(Escape(encoded), Escape(exchange.request_bytes));
  }

  void OnServerList(std::string bytes) {
    std::string encoded;
    if (!greeted_) {
      greeted_ = true;
      protocol::AppendGreeting(&encoded);
      EXPECT_EQ(Escape(encoded), Escape(bytes));
      return;
    }
    ASSERT_LT(answered_, exchanges_.size()) << "a reply without a request: " << Escape(bytes);
    Exchange& exchange = exchanges_[answered_++];
    exchange.reply_bytes = std::move(bytes);
    const std::optional<AttributeList> list = DecodeWhole(exchange.reply_bytes);
    ASSERT_TRUE(list);
    exchange.reply = protocol::ParseReply(*list, exchange.kind(), exchange.dialect());
    ASSERT_TRUE(exchange.reply) << "not of the request's shape: " << Escape(exchange.reply_bytes);
    if (std::holds_alternative<Malformed>(exchange.request)) {
      protocol::AppendBadReply(exchange.kind(), exchange.dialect(), &encoded);
    } else {
      protocol::AppendReply(exchange.kind(), exchange.dialect(), *exchange.reply, &encoded);
    }
    EXPECT_EQ(Escape(encoded), Escape(exchange.reply_bytes));
  }

  const Release& release_;
  Stream client_;
  Stream server_;
  bool greeted_ = false;
  Dialect last_dialect_ = Dialect::kLegacy;
  std::deque<Exchange> exchanges_;  // stays where it is when it grows: the views do too
  std::size_t answered_ = 0;
};

std::vector<std::unique_ptr<ConversationCheck>> CheckFile(const Release& release,
                                                          const std::string& path) {
  SCOPED_TRACE(path);
  std::vector<std::unique_ptr<ConversationCheck>> checked;
  std::string error;
  const std::optional<Transcript> transcript = ReadTranscript(path, &error);
  if (!transcript) {
    ADD_FAILURE() << error;
    return checked;
  }
  EXPECT_FALSE(transcript->conversations.empty()) << "no conversation in it";
  for (const Conversation& conversation : transcript->conversations) {
    SCOPED_TRACE(testing::Message() << "connection " << conversation.number);
    checked.push_back(std::make_unique<ConversationCheck>(release, conversation));
  }
  return checked;
}

void CheckEveryFile(const Release& release) {
  const std::vector<std::string> files = TranscriptFiles(release.directory);
  ASSERT_FALSE(files.empty()) << "no transcripts (*.txt) in " << release.directory;
  std::size_t exchanges = 0;
  for (const std::string& file : files) {
    for (const auto& conversation : CheckFile(release, file)) {
      exchanges += conversation->exchanges().size();
    }
  }
  EXPECT_GE(exchanges, files.size()) << "files without a single request";
}

TEST(GoldenTranscripts, Postfix37IsUnderstoodAndReproducedByteForByte) {
  CheckEveryFile(kPostfix37);
}

TEST(GoldenTranscripts, Postfix312IsUnderstoodAndReproducedByteForByte) {
  CheckEveryFile(kPostfix312);
}

// What the reply's flags are made of, and what becomes of a lookup's flags, over all that was
// captured.
TEST(GoldenTranscripts, Postfix312FlagsAreThoseWeWouldSend) {
  std::size_t opens = 0;
  std::size_t lookups = 0;
  for (const std::string& file : TranscriptFiles(kPostfix312.directory)) {
    SCOPED_TRACE(file);
    for (const auto& conversation : CheckFile(kPostfix312, file)) {
      for (const Exchange& exchange : conversation->exchanges()) {
        ASSERT_TRUE(exchange.reply);
        if (exchange.reply->status == Status::kDeny) {
          EXPECT_EQ(exchange.reply->flags, 0u);
        } else if (const OpenRequest* open = exchange.As<OpenRequest>()) {
          EXPECT_EQ(exchange.reply->flags, protocol::OpenReplyFlags(open->instance_flags, true));
          ++opens;
        } else if (const LookupRequest* lookup = exchange.As<LookupRequest>()) {
          EXPECT_EQ(exchange.reply->flags, lookup->flags);
          ++lookups;
        }
      }
    }
  }
  EXPECT_GE(opens, 10u);
  EXPECT_GE(lookups, 10u);
}

// What was asked and answered, as the comments of the files and the commands in them say.
struct Expected {
  std::string file;
  std::string table;
  std::string key;
  Status status;
  std::string value;
};

TEST(GoldenTranscripts, Postfix312SaysWhatPostmapAsked) {
  const std::string aliases = "pgsql:/etc/postfix/pgsql-aliases.cf";
  const std::string box1 = "box1@store.example.net";
  const Expected expected[] = {
      {"hit.txt", aliases, "user1@example1.com", Status::kOk, box1},
      {"mixed-case.txt", aliases, "USER1@Example1.COM", Status::kOk, box1},
      {"miss.txt", aliases, "nobody@example1.com", Status::kNoKey, ""},
      {"quote-key.txt", aliases, "o'brien\\x@example1.com", Status::kNoKey, ""},
      {"invalid-utf8-key.txt", aliases,
       "us\xff"
       "er@example1.com",
       Status::kNoKey, ""},
      {"utf8-key.txt", aliases, "J\xc3\x96RG@example1.com", Status::kNoKey, ""},
      {"query-error.txt", "pgsql:/etc/postfix/pgsql-id.cf", "abc", Status::kRetry, ""},
      {"unix-passwd.txt", "unix:passwd.byname", "root", Status::kOk,
       "root:x:0:0:root:/root:/bin/bash"},
  };
  for (const Expected& expect : expected) {
    SCOPED_TRACE(expect.file);
    const auto checked = CheckFile(kPostfix312, kPostfix312.directory + "/" + expect.file);
    ASSERT_EQ(checked.size(), 1u);
    const std::deque<Exchange>& exchanges = checked[0]->exchanges();
    ASSERT_EQ(exchanges.size(), 2u);
    const OpenRequest* open = exchanges[0].As<OpenRequest>();
    ASSERT_NE(open, nullptr);
    EXPECT_EQ(open->table, expect.table);
    const LookupRequest* lookup = exchanges[1].As<LookupRequest>();
    ASSERT_NE(lookup, nullptr);
    EXPECT_EQ(lookup->table, expect.table);
    EXPECT_EQ(lookup->key, expect.key);
    ASSERT_TRUE(exchanges[1].reply);
    EXPECT_EQ(exchanges[1].reply->status, expect.status);
    EXPECT_EQ(exchanges[1].reply->value, expect.value);
  }
}

TEST(GoldenTranscripts, Postfix312DeniesAnUnapprovedTableAtTheOpen) {
  const auto checked = CheckFile(kPostfix312, kPostfix312.directory + "/unapproved.txt");
  ASSERT_EQ(checked.size(), 1u);
  ASSERT_EQ(checked[0]->exchanges().size(), 1u);
  const Exchange& exchange = checked[0]->exchanges()[0];
  ASSERT_NE(exchange.As<OpenRequest>(), nullptr);
  EXPECT_EQ(exchange.As<OpenRequest>()->table, "pgsql:/etc/postfix/other.cf");
  EXPECT_EQ(exchange.reply, (Reply{Status::kDeny, 0, "", ""}));
}

}  // namespace
}  // namespace proxymux::golden
