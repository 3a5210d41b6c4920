#include "pgsql/sql/key_parts.h"

#include <algorithm>

namespace proxymux::pgsql {
namespace {

// Takes the last label that is not empty off `rest`; empty when there is none.
std::string_view PopLabel(std::string_view* rest) {
  while (!rest->empty() && rest->back() == '.') rest->remove_suffix(1);
  const std::size_t dot = rest->rfind('.');
  const std::size_t begin = dot == std::string_view::npos ? 0 : dot + 1;
  const std::string_view label = rest->substr(begin);
  *rest = rest->substr(0, begin);
  return label;
}

}  // namespace

KeyParts::KeyParts(std::string_view key) : key_(key), user_(key) {
  const std::size_t at = key.rfind('@');
  if (at == std::string_view::npos) return;
  has_at_ = true;
  user_ = key.substr(0, at);
  domain_ = key.substr(at + 1);
}

std::size_t KeyParts::label_count() const {
  std::size_t count = 0;
  for (std::string_view rest = domain_; !PopLabel(&rest).empty();) ++count;
  return count;
}

std::string_view KeyParts::Label(std::size_t n) const {
  std::string_view rest = domain_;
  std::string_view label;
  for (std::size_t i = 0; i < n; ++i) {
    label = PopLabel(&rest);
    if (label.empty()) break;
  }
  return label;
}

void Requirements::Merge(const Requirements& other) {
  user = user || other.user;
  domain = domain || other.domain;
  labels = std::max(labels, other.labels);
}

Missing FirstMissing(const Requirements& wanted, const KeyParts& key) {
  if (wanted.domain && key.domain().empty()) return Missing::kDomain;
  if (wanted.user && key.user().empty()) return Missing::kUser;
  if (wanted.labels > 0 && key.Label(wanted.labels).empty()) return Missing::kLabels;
  return Missing::kNothing;
}

}  // namespace proxymux::pgsql
