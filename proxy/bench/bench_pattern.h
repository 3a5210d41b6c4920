// Text with a number in it, as keys and values are generated from: `user%d@example%{100}d.com`.
//
//   %d       the number
//   %06d     with leading zeros, to that width
//   %{100}d  the number modulo 100
//   %%       a percent sign
//
// Anything else after `%` is an error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace proxymux::proxy {

class BenchPattern {
 public:
  // Nothing when the text is no pattern; then `*error` says why.
  static std::optional<BenchPattern> Parse(std::string_view text, std::string* error);

  void AppendTo(std::uint64_t number, std::string* out) const;

 private:
  struct Piece {
    std::string literal;  // comes before the number
    bool number = false;
    int width = 0;
    std::uint64_t modulus = 0;  // 0: none
  };
  std::vector<Piece> pieces_;
};

}  // namespace proxymux::proxy
