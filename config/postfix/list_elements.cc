#include "config/postfix/list_elements.h"

namespace proxymux::config {
namespace {

constexpr std::string_view kSeparators = ", \t\r\n";

}  // namespace

std::string_view NextElement(std::string_view* rest) {
  const std::size_t begin = rest->find_first_not_of(kSeparators);
  if (begin == std::string_view::npos) {
    *rest = {};
    return {};
  }
  int level = 0;
  std::size_t end = begin;
  for (; end < rest->size(); ++end) {
    const char c = (*rest)[end];
    if (c == '{') {
      ++level;
    } else if (c == '}' && level > 0) {
      --level;
    } else if (level == 0 && kSeparators.find(c) != std::string_view::npos) {
      break;
    }
  }
  const std::string_view element = rest->substr(begin, end - begin);
  rest->remove_prefix(end);
  return element;
}

std::optional<std::string_view> InsideBraces(std::string_view text) {
  int level = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '{') ++level;
    if (text[i] == '}' && --level == 0) {
      if (i + 1 != text.size()) return std::nullopt;
      return text.substr(1, i - 1);
    }
  }
  return std::nullopt;
}

}  // namespace proxymux::config
