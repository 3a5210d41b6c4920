#include "proxy/bench/bench_keys.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace proxymux::proxy {

std::optional<BenchKeys> BenchKeys::FromText(std::string text) {
  BenchKeys keys;
  keys.text_ = std::move(text);
  const std::string_view all = keys.text_;
  for (std::size_t begin = 0; begin < all.size();) {
    const std::size_t end = std::min(all.find('\n', begin), all.size());
    std::string_view line = all.substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::size_t tab = line.find('\t');
    const bool has_value = tab != std::string_view::npos;
    const std::string_view key = line.substr(0, tab);
    if (!key.empty()) {
      keys.lines_.push_back({begin, static_cast<std::uint32_t>(key.size()),
                             static_cast<std::uint32_t>(has_value ? line.size() - tab - 1 : 0),
                             has_value});
      keys.verifiable_ |= has_value;
    }
    begin = end + 1;
  }
  if (keys.lines_.empty()) return std::nullopt;
  return keys;
}

std::optional<BenchKeys> BenchKeys::FromPattern(std::string_view key, std::string_view value,
                                                NumberRange range, std::string* error) {
  BenchKeys keys;
  keys.range_ = range;
  keys.key_ = BenchPattern::Parse(key, error);
  if (!keys.key_) return std::nullopt;
  if (!value.empty()) {
    keys.value_ = BenchPattern::Parse(value, error);
    if (!keys.value_) return std::nullopt;
    keys.verifiable_ = true;
  }
  return keys;
}

void BenchKeys::AppendKey(std::uint64_t index, bool missing, std::string* out) const {
  if (missing) out->append(kMissingKeyPrefix);
  if (key_) {
    key_->AppendTo(range_.first + index, out);
  } else {
    const Line& line = lines_[index];
    out->append(text_, line.begin, line.key_size);
  }
}

bool BenchKeys::HasValue(std::uint64_t index) const {
  return key_ ? value_.has_value() : lines_[index].has_value;
}

std::string_view BenchKeys::Value(std::uint64_t index) {
  if (!key_) {
    const Line& line = lines_[index];
    return std::string_view(text_).substr(line.begin + line.key_size + 1, line.value_size);
  }
  scratch_.clear();
  value_->AppendTo(range_.first + index, &scratch_);
  return scratch_;
}

}  // namespace proxymux::proxy
