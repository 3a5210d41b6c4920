#include "tests/harness/server_messages.h"

#include <algorithm>

namespace proxymux::harness {
namespace {

constexpr int kHeaderBytes = 5;
constexpr std::uint32_t kLengthBytes = 4;
constexpr char kNoTls = 'N';

}  // namespace

void ServerMessages::Pass(std::string& piece, const Found& found, const Touch& touch) {
  for (std::size_t at = 0; at < piece.size();) {
    if (body_left_ > 0) {
      const std::size_t step = std::min(body_left_, piece.size() - at);
      body_left_ -= step;
      at += step;
      continue;
    }
    const char byte = piece[at];
    if (!begun_ && byte == kNoTls) {
      ++at;
      continue;
    }
    begun_ = true;
    if (header_bytes_ == 0) {
      header_.type = byte;
      length_ = 0;
      touch(Part::kType, piece[at]);
    } else {
      length_ = length_ << 8 | static_cast<unsigned char>(byte);
      touch(Part::kLength, piece[at]);
    }
    ++at;
    if (++header_bytes_ < kHeaderBytes) continue;
    header_bytes_ = 0;
    header_.body = length_ - std::min(length_, kLengthBytes);
    body_left_ = header_.body;
    found(header_, at);
  }
}

}  // namespace proxymux::harness
