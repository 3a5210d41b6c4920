#include "proxy/bench/bench_pattern.h"

#include <charconv>
#include <cstddef>

namespace proxymux::proxy {
namespace {

constexpr int kMaxWidth = 20;

// The decimal number at `*at`, which is moved behind it.
std::optional<std::uint64_t> TakeNumber(std::string_view text, std::size_t* at) {
  std::uint64_t value = 0;
  const char* const begin = text.data() + *at;
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  *at += static_cast<std::size_t>(end - begin);
  return value;
}

}  // namespace

std::optional<BenchPattern> BenchPattern::Parse(std::string_view text, std::string* error) {
  BenchPattern pattern;
  Piece piece;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '%') {
      piece.literal += text[at++];
      continue;
    }
    const std::size_t start = at++;
    const auto is = [&](char c) { return at < text.size() && text[at] == c; };
    if (is('%')) {
      piece.literal += '%';
      ++at;
      continue;
    }
    bool good = true;
    if (is('{')) {
      ++at;
      const auto modulus = TakeNumber(text, &at);
      good = modulus.value_or(0) > 0 && is('}');
      if (good) {
        piece.modulus = *modulus;
        ++at;
      }
    } else if (is('0')) {
      const auto width = TakeNumber(text, &at);
      good = width.value_or(0) > 0 && *width <= kMaxWidth;
      if (good) piece.width = static_cast<int>(*width);
    }
    if (!good || !is('d')) {
      *error =
          "\"" + std::string(text) + "\": what stands at \"" + std::string(text.substr(start, 8)) +
          "\" is none of %d, %06d (zeros to a width), %{100}d (modulo) and %% (a percent sign)";
      return std::nullopt;
    }
    ++at;
    piece.number = true;
    pattern.pieces_.push_back(std::move(piece));
    piece = Piece();
  }
  if (!piece.literal.empty() || pattern.pieces_.empty()) {
    pattern.pieces_.push_back(std::move(piece));
  }
  return pattern;
}

void BenchPattern::AppendTo(std::uint64_t number, std::string* out) const {
  for (const Piece& piece : pieces_) {
    out->append(piece.literal);
    if (!piece.number) continue;
    char digits[kMaxWidth];
    const std::uint64_t value = piece.modulus == 0 ? number : number % piece.modulus;
    const char* const end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
    const int length = static_cast<int>(end - digits);
    if (length < piece.width) out->append(static_cast<std::size_t>(piece.width - length), '0');
    out->append(digits, static_cast<std::size_t>(length));
  }
}

}  // namespace proxymux::proxy
