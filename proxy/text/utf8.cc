#include "proxy/text/utf8.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace proxymux::proxy {
namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080;

// The number of leading ASCII bytes, eight at a time.
std::size_t AsciiPrefix(const unsigned char* bytes, std::size_t size) {
  std::size_t done = 0;
  while (size - done >= sizeof(std::uint64_t)) {
    std::uint64_t word;
    std::memcpy(&word, bytes + done, sizeof(word));
    if ((word & kHighBits) != 0) break;
    done += sizeof(word);
  }
  while (done < size && bytes[done] < 0x80) ++done;
  return done;
}

bool IsContinuation(unsigned char byte) { return (byte & 0xc0) == 0x80; }

// The length of the well-formed sequence of several bytes at `bytes`, 0 when there is none (RFC
// 3629, section 4).
std::size_t SequenceLength(const unsigned char* bytes, std::size_t size) {
  const unsigned char lead = bytes[0];
  unsigned char low = 0x80;  // the bounds of the second byte
  unsigned char high = 0xbf;
  std::size_t length;
  if (lead >= 0xc2 && lead <= 0xdf) {
    length = 2;
  } else if (lead >= 0xe0 && lead <= 0xef) {
    length = 3;
    if (lead == 0xe0) low = 0xa0;   // shorter forms
    if (lead == 0xed) high = 0x9f;  // surrogates
  } else if (lead >= 0xf0 && lead <= 0xf4) {
    length = 4;
    if (lead == 0xf0) low = 0x90;   // shorter forms
    if (lead == 0xf4) high = 0x8f;  // above U+10FFFF
  } else {
    return 0;
  }
  if (size < length || bytes[1] < low || bytes[1] > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (!IsContinuation(bytes[i])) return 0;
  }
  return length;
}

}  // namespace

bool IsAscii(std::string_view text) {
  return AsciiPrefix(reinterpret_cast<const unsigned char*>(text.data()), text.size()) ==
         text.size();
}

bool IsValidUtf8(std::string_view text) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t left = text.size();
  for (;;) {
    const std::size_t ascii = AsciiPrefix(bytes, left);
    bytes += ascii;
    left -= ascii;
    if (left == 0) return true;
    const std::size_t length = SequenceLength(bytes, left);
    if (length == 0) return false;
    bytes += length;
    left -= length;
  }
}

}  // namespace proxymux::proxy
