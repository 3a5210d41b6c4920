#include "proxy/compare/compared_keys.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace proxymux::proxy {
namespace {

class KeyList {
 public:
  explicit KeyList(std::size_t limit) : limit_(limit) {}

  bool full() const { return list_.keys.size() >= limit_; }
  void Add(std::string_view key) {
    if (key.empty()) return;
    if (full()) {
      ++list_.beyond_limit;
    } else if (std::ranges::any_of(key, [](unsigned char c) { return c < ' ' || c == 0x7f; })) {
      ++list_.left_out;
    } else if (seen_.insert(std::string(key)).second) {
      list_.keys.emplace_back(key);
    }
  }
  ComparedKeys Take() { return std::move(list_); }

 private:
  const std::size_t limit_;
  std::set<std::string> seen_;
  ComparedKeys list_;
};

// Whether what stands before "=<" is one of the words that addresses follow.
bool NamesAnAddress(std::string_view before) {
  constexpr std::array<std::string_view, 3> kWords = {" from", " to", " orig_to"};
  return std::ranges::any_of(kWords, [&](std::string_view word) { return before.ends_with(word); });
}

void AddAddresses(std::string_view line, KeyList* keys) {
  constexpr std::string_view kBegin = "=<";
  for (std::size_t at = line.find(kBegin); at != std::string_view::npos && !keys->full();
       at = line.find(kBegin, at)) {
    const bool is_address = NamesAnAddress(line.substr(0, at));
    at += kBegin.size();
    if (!is_address) continue;
    const std::size_t end = line.find('>', at);
    if (end == std::string_view::npos) return;
    const std::string_view address = line.substr(at, end - at);
    at = end;
    keys->Add(address);  // unless it is that of a bounce, <>
    const std::size_t sign = address.rfind('@');
    if (sign == std::string_view::npos) continue;
    keys->Add(address.substr(sign + 1));
    keys->Add(address.substr(sign));
  }
}

}  // namespace

ComparedKeys KeysOfLines(std::string_view text, std::size_t limit) {
  KeyList keys(limit);
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    keys.Add(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line);
  }
  return keys.Take();
}

ComparedKeys KeysOfLog(std::string_view log, std::size_t limit) {
  KeyList keys(limit);
  while (!log.empty() && !keys.full()) {
    const std::size_t last_end = log.rfind('\n');
    const std::size_t begin = last_end == std::string_view::npos ? 0 : last_end + 1;
    AddAddresses(log.substr(begin), &keys);
    log = log.substr(0, last_end == std::string_view::npos ? 0 : last_end);
  }
  return keys.Take();
}

}  // namespace proxymux::proxy
