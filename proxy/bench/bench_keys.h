// The keys of one table and, where they are known, the values that belong to them. Keys are told
// by their index, 0 to size() - 1; which index is asked for next is BenchMix's business.
//
// They come from a file, one `key` or `key TAB value` a line (empty lines do not count), or from a
// pattern and a range of numbers. A key that is to be missing is a key with "missing-" before it,
// so that it stays in its domain and is really looked up.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/bench/bench_pattern.h"

namespace proxymux::proxy {

inline constexpr std::string_view kMissingKeyPrefix = "missing-";

struct NumberRange {
  std::uint64_t first = 1;
  std::uint64_t last = 1000;
};

class BenchKeys {
 public:
  // Nothing when there is no key in the text.
  static std::optional<BenchKeys> FromText(std::string text);
  // Nothing when a pattern cannot be read; then `*error` says why. An empty value pattern: values
  // are not known.
  static std::optional<BenchKeys> FromPattern(std::string_view key, std::string_view value,
                                              NumberRange range, std::string* error);

  std::uint64_t size() const {
    return lines_.empty() ? range_.last - range_.first + 1 : lines_.size();
  }
  // Whether values are known, so that answers can be verified; of a file: of any key.
  bool verifiable() const { return verifiable_; }

  void AppendKey(std::uint64_t index, bool missing, std::string* out) const;
  bool HasValue(std::uint64_t index) const;
  // The value that belongs to the key; valid until the next call. HasValue(index) only.
  std::string_view Value(std::uint64_t index);

 private:
  struct Line {
    std::uint64_t begin;
    std::uint32_t key_size;
    std::uint32_t value_size;
    bool has_value;
  };

  bool verifiable_ = false;
  std::string text_;
  std::vector<Line> lines_;
  std::optional<BenchPattern> key_, value_;
  NumberRange range_;
  std::string scratch_;
};

}  // namespace proxymux::proxy
