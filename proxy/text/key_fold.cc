#include "proxy/text/key_fold.h"

#include <unicode/ucasemap.h>

#include <cstddef>
#include <cstdint>
#include <limits>

#include "proxy/text/utf8.h"

namespace proxymux::proxy {
namespace {

// One case map for the process. Read-only once opened, so that threads may share it; never closed.
const UCaseMap* CaseMap() {
  static const UCaseMap* const case_map = [] {
    UErrorCode error = U_ZERO_ERROR;
    UCaseMap* opened = ucasemap_open("", U_FOLD_CASE_DEFAULT, &error);
    return U_SUCCESS(error) ? opened : nullptr;
  }();
  return case_map;
}

}  // namespace

void FoldAscii(std::string_view key, std::string* folded) {
  folded->resize(key.size());
  char* out = folded->data();
  for (const char c : key) *out++ = (c >= 'A' && c <= 'Z') ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool FoldUtf8(std::string_view key, std::string* folded) {
  if (IsAscii(key)) {
    FoldAscii(key, folded);
    return true;
  }
  const UCaseMap* case_map = CaseMap();
  if (case_map == nullptr ||
      key.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max() / 3)) {
    return false;
  }
  // Most keys keep their length; ICU says how much room the others need.
  folded->resize(key.size() + key.size() / 2);
  for (;;) {
    UErrorCode error = U_ZERO_ERROR;
    const std::int32_t length =
        ucasemap_utf8FoldCase(case_map, folded->data(), static_cast<std::int32_t>(folded->size()),
                              key.data(), static_cast<std::int32_t>(key.size()), &error);
    const bool grow = error == U_BUFFER_OVERFLOW_ERROR;
    if (!grow && U_FAILURE(error)) return false;
    folded->resize(static_cast<std::size_t>(length));
    if (!grow) return true;
  }
}

void FoldDomain(std::string_view domain, bool smtputf8_enable, std::string* folded) {
  if (!smtputf8_enable) {
    FoldAscii(domain, folded);
  } else if (!FoldUtf8(domain, folded)) {
    *folded = domain;
  }
}

}  // namespace proxymux::proxy
