#include "config/values/hidden_text.h"

namespace proxymux::config {

std::string WithoutSecrets(std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos) return std::string(text);
  std::size_t begin = text.substr(0, at).find("//");
  if (begin != std::string_view::npos) {
    begin += 2;
  } else if (text.substr(0, at).find(':') != std::string_view::npos) {
    begin = 0;
  } else {
    return std::string(text);
  }
  return std::string(text.substr(0, begin)) + "..." + std::string(text.substr(at));
}

}  // namespace proxymux::config
