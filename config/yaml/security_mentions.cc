#include "config/yaml/security_mentions.h"

#include <string>

#include "config/values/nearest_name.h"
#include "config/yaml/option_table.h"

namespace proxymux::config {
namespace {

// Lower case without '-' and '_', so that SSL_Mode is found as sslmode.
std::string Squeeze(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c >= 'A' && c <= 'Z') out += static_cast<char>(c - 'A' + 'a');
    if (c != '-' && c != '_' && !(c >= 'A' && c <= 'Z')) out += c;
  }
  return out;
}

}  // namespace

bool MentionsSecurityOption(std::string_view text) {
  const std::string squeezed = Squeeze(text);
  for (const Option& option : Options()) {
    if (option.security && squeezed.find(Squeeze(option.name)) != std::string::npos) return true;
  }
  return false;
}

bool LooksLikeSecurityOption(std::string_view key) {
  const std::string squeezed = Squeeze(key);
  if (squeezed.find("ssl") != std::string::npos || squeezed.find("tls") != std::string::npos) {
    return true;
  }
  const Option* nearest =
      FindOption(OptionScope::kPool, NearestName(key, OptionNames(OptionScope::kPool)));
  return nearest != nullptr && nearest->security;
}

bool Mentions(const YamlNode& node) {
  if (node.kind == YamlKind::kScalar) return MentionsSecurityOption(node.scalar);
  for (const YamlNode& item : node.items) {
    if (Mentions(item)) return true;
  }
  for (const auto& [key, value] : node.members) {
    if (Mentions(key) || LooksLikeSecurityOption(key.scalar) || Mentions(value)) return true;
  }
  return false;
}

}  // namespace proxymux::config
