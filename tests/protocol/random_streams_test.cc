// Random and mutated streams, the same ones at every run: however they are split, they mean the
// same, and nothing crashes (which is of most use under --config=asan).
#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/attribute_codec.h"
#include "protocol/request_encoder.h"
#include "protocol/request_parser.h"

namespace proxymux::protocol {
namespace {

constexpr std::size_t kLimit = 300;

// What a list came to, in words, since views end with the buffer.
std::string Describe(const ParseResult& result) {
  std::ostringstream text;
  if (const Request* request = std::get_if<Request>(&result)) {
    std::string bytes;
    AppendRequest(*request, &bytes);
    text << "request " << DialectName(request->dialect) << ' ' << request->extra_attributes << ' '
         << bytes;
  } else if (const Malformed* malformed = std::get_if<Malformed>(&result)) {
    text << "malformed " << RequestName(malformed->kind) << ' ' << DialectName(malformed->dialect)
         << ' ' << malformed->reason << ' ' << malformed->attribute << ' ' << malformed->found;
  } else {
    const Unanswered& unanswered = std::get<Unanswered>(result);
    text << "unanswered " << unanswered.reason << ' ' << unanswered.found;
  }
  return text.str();
}

// A session's reading loop on a buffer that is a new allocation, exactly as large as its content,
// after every read.
class Reader {
 public:
  void Feed(std::string_view piece) {
    if (too_long_) return;
    std::string grown = pending_ + std::string(piece);
    pending_.swap(grown);
    for (;;) {
      const std::vector<char> buffer(pending_.begin(), pending_.end());
      AttributeList list;
      std::size_t list_bytes = 0;
      switch (decoder_.Decode({buffer.data(), buffer.size()}, &list, &list_bytes)) {
        case AttributeDecoder::Result::kIncomplete:
          return;
        case AttributeDecoder::Result::kTooLong:
          outcomes_.push_back("too long");
          too_long_ = true;
          return;
        case AttributeDecoder::Result::kList:
          break;
      }
      EXPECT_LE(list_bytes, kLimit);
      const ParseResult result = ParseRequest(list, last_dialect_);
      if (const Request* request = std::get_if<Request>(&result)) last_dialect_ = request->dialect;
      outcomes_.push_back(Describe(result));
      pending_.erase(0, list_bytes);
    }
  }

  const std::vector<std::string>& outcomes() const { return outcomes_; }

 private:
  AttributeDecoder decoder_{kLimit};
  std::string pending_;
  Dialect last_dialect_ = Dialect::kLegacy;
  bool too_long_ = false;
  std::vector<std::string> outcomes_;
};

class Generator {
 public:
  std::size_t Below(std::size_t n) { return random_() % n; }

  std::string Noise(std::size_t size) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) {
      byte = Below(3) == 0 ? '\0' : static_cast<char>(Below(256));
    }
    return bytes;
  }

  std::string ValidRequest() {
    const std::string key = Text(), value = Text(), table = Table();
    const std::uint32_t flags = static_cast<std::uint32_t>(random_());
    Request request;
    request.dialect = Below(2) == 0 ? Dialect::kLegacy : Dialect::kInstanceFlags;
    switch (Below(5)) {
      case 0:
        request.operation = OpenRequest{table, flags};
        break;
      case 1:
        request.operation = LookupRequest{table, flags, flags / 3, key};
        break;
      case 2:
        request.operation = UpdateRequest{table, flags, flags / 3, key, value};
        break;
      case 3:
        request.operation = DeleteRequest{table, flags, flags / 3, key};
        break;
      default:
        request.operation =
            SequenceRequest{table, flags, flags / 3, static_cast<SequenceFunction>(Below(2))};
        break;
    }
    std::string bytes;
    AppendRequest(request, &bytes);
    return bytes;
  }

  void Mutate(std::string* bytes) {
    switch (Below(5)) {
      case 0:
        (*bytes)[Below(bytes->size())] = static_cast<char>(Below(256));
        break;
      case 1:
        (*bytes)[Below(bytes->size())] = '\0';
        break;
      case 2:
        bytes->erase(Below(bytes->size()), 1 + Below(4));
        break;
      case 3:
        bytes->insert(Below(bytes->size() + 1), Noise(1 + Below(5)));
        break;
      default:  // an attribute too many
        bytes->pop_back();
        *bytes += std::string("more\0and more\0\0", 15);
        break;
    }
    if (bytes->empty()) *bytes = "x";
  }

 private:
  std::string Table() { return Below(4) == 0 ? "proxy:pgsql:/a.cf" : "pgsql:/a.cf"; }
  std::string Text() {
    std::string text(Below(40), ' ');
    for (char& byte : text) byte = static_cast<char>(1 + Below(255));
    return text;
  }

  std::mt19937 random_{20260218};
};

TEST(RandomStreams, HoweverSplitTheyMeanTheSame) {
  Generator generate;
  std::size_t requests = 0;
  std::size_t malformed = 0;
  std::size_t unanswered = 0;
  std::size_t too_long = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string stream;
    const std::size_t lists = 1 + generate.Below(8);
    for (std::size_t i = 0; i < lists; ++i) {
      std::string bytes = generate.Below(8) == 0 ? generate.Noise(1 + generate.Below(400))
                                                 : generate.ValidRequest();
      if (generate.Below(2) == 0) generate.Mutate(&bytes);
      stream += bytes;
    }
    if (generate.Below(20) == 0) stream += std::string(generate.Below(2 * kLimit), 'x');

    Reader whole;
    whole.Feed(stream);
    Reader bytewise;
    for (char byte : stream) bytewise.Feed({&byte, 1});
    Reader split;
    for (std::string_view rest = stream; !rest.empty();) {
      const std::size_t size = std::min(rest.size(), 1 + generate.Below(60));
      split.Feed(rest.substr(0, size));
      rest.remove_prefix(size);
    }
    ASSERT_EQ(whole.outcomes(), bytewise.outcomes()) << "round " << round;
    ASSERT_EQ(whole.outcomes(), split.outcomes()) << "round " << round;

    for (const std::string& outcome : whole.outcomes()) {
      requests += outcome.starts_with("request");
      malformed += outcome.starts_with("malformed");
      unanswered += outcome.starts_with("unanswered");
      too_long += outcome == "too long";
    }
  }
  // The generator reaches every outcome, or the comparison above says little.
  EXPECT_GT(requests, 1000u);
  EXPECT_GT(malformed, 1000u);
  EXPECT_GT(unanswered, 1000u);
  EXPECT_GT(too_long, 50u);
}

TEST(RandomStreams, ValidRequestsBackToBackAreAllFound) {
  Generator generate;
  for (int round = 0; round < 200; ++round) {
    std::string stream;
    const std::size_t lists = 1 + generate.Below(50);
    for (std::size_t i = 0; i < lists; ++i) stream += generate.ValidRequest();
    Reader reader;
    for (std::string_view rest = stream; !rest.empty();) {
      const std::size_t size = std::min(rest.size(), 1 + generate.Below(500));
      reader.Feed(rest.substr(0, size));
      rest.remove_prefix(size);
    }
    ASSERT_EQ(reader.outcomes().size(), lists);
    for (const std::string& outcome : reader.outcomes()) {
      ASSERT_TRUE(outcome.starts_with("request")) << outcome;
    }
  }
}

}  // namespace
}  // namespace proxymux::protocol
