#include "config/postfix/domain_functions.h"

#include <unicode/uidna.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace proxymux::config {
namespace {

// More than any name of a domain takes, in UTF-8 (RFC 1035: 255 bytes as it is sent).
constexpr std::size_t kLongestName = 1024;

using Convert = decltype(&uidna_nameToASCII_UTF8);

// One for the process, never closed.
const UIDNA* Rules() {
  static const UIDNA* const rules = [] {
    UErrorCode error = U_ZERO_ERROR;
    const UIDNA* opened =
        uidna_openUTS46(UIDNA_NONTRANSITIONAL_TO_ASCII | UIDNA_NONTRANSITIONAL_TO_UNICODE, &error);
    return U_SUCCESS(error) ? opened : nullptr;
  }();
  return rules;
}

bool IsLetterOrDigit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool IsAscii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// Labels of letters, digits, `-`, `_` and characters of other scripts: what it makes cannot be
// taken for more than one element of a list.
bool IsName(std::string_view text) {
  bool in_label = false;
  for (const char c : text) {
    const bool other = static_cast<unsigned char>(c) >= 0x80;
    if (c == '.' ? !in_label : !other && !IsLetterOrDigit(c) && c != '-' && c != '_') return false;
    in_label = c != '.';
  }
  return in_label || text.empty();
}

std::optional<std::string> Converted(Convert convert, std::string_view name) {
  if (Rules() == nullptr || name.size() > kLongestName) return std::nullopt;
  std::array<char, kLongestName> out;
  UErrorCode error = U_ZERO_ERROR;
  UIDNAInfo info = UIDNA_INFO_INITIALIZER;
  const std::int32_t length =
      convert(Rules(), name.data(), static_cast<std::int32_t>(name.size()), out.data(),
              static_cast<std::int32_t>(out.size()), &info, &error);
  if (U_FAILURE(error) || info.errors != 0 || length <= 0) return std::nullopt;
  std::string converted(out.data(), static_cast<std::size_t>(length));
  if (!IsName(converted)) return std::nullopt;
  return converted;
}

std::optional<std::string> AsItIs(std::string_view name) {
  if (!IsName(name)) return std::nullopt;
  return std::string(name);
}

}  // namespace

std::optional<std::string> DomainToAscii(std::string_view name) {
  if (IsAscii(name)) return AsItIs(name);
  return Converted(&uidna_nameToASCII_UTF8, name);
}

std::optional<std::string> DomainToUtf8(std::string_view name) {
  if (!IsAscii(name)) return AsItIs(name);
  return Converted(&uidna_nameToUnicodeUTF8, name);
}

}  // namespace proxymux::config
