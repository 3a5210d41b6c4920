// A fuzz target for the decoder, the request parser and the encoders. Not a Bazel test, since GCC
// has no libFuzzer:
//   clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -I. -o fuzz
//       tests/fuzz/attribute_codec_fuzz.cc protocol/*.cc     (all one line)
//   ./fuzz -max_total_time=60
// The first byte of the input says how the rest is split; the stream must mean the same unsplit.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>

#include "protocol/attribute_codec.h"
#include "protocol/reply.h"
#include "protocol/reply_parser.h"
#include "protocol/request_encoder.h"
#include "protocol/request_parser.h"

namespace {

using namespace proxymux::protocol;

// Everything a session would send back, and each good request encoded again.
std::string Serve(std::string_view stream, std::size_t piece) {
  AttributeDecoder decoder(256);
  Dialect last_dialect = Dialect::kLegacy;
  std::string pending;
  std::string said;
  while (!stream.empty()) {
    const std::size_t size = std::min(piece, stream.size());
    pending.append(stream.substr(0, size));
    stream.remove_prefix(size);
    AttributeList list;
    std::size_t list_bytes = 0;
    AttributeDecoder::Result result;
    while ((result = decoder.Decode(pending, &list, &list_bytes)) ==
           AttributeDecoder::Result::kList) {
      for (RequestKind kind : {RequestKind::kOpen, RequestKind::kSequence}) {
        if (ParseReply(list, kind, Dialect::kInstanceFlags)) said += "reply";
      }
      const ParseResult parsed = ParseRequest(list, last_dialect);
      if (const Request* request = std::get_if<Request>(&parsed)) {
        last_dialect = request->dialect;
        AppendRequest(*request, &said);
      } else if (const Malformed* malformed = std::get_if<Malformed>(&parsed)) {
        AppendBadReply(malformed->kind, malformed->dialect, &said);
      }
      pending.erase(0, list_bytes);
    }
    if (result == AttributeDecoder::Result::kTooLong) return said + "too long";
  }
  return said;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (Serve(stream, stream.size()) != Serve(stream, 1 + data[0] % 64)) std::abort();
  return 0;
}
