#include "protocol/dict_flags.h"

#include <charconv>
#include <cstddef>
#include <iterator>
#include <string_view>

namespace proxymux::protocol {
namespace {

// Bit 10 has no meaning any more.
constexpr std::string_view kNames[] = {
    "DUP_WARN",     "DUP_IGNORE",   "TRY0NULL",    "TRY1NULL",        "FIXED",     "PATTERN",
    "LOCK",         "DUP_REPLACE",  "SYNC_UPDATE", "DEBUG",           "",          "NO_REGSUB",
    "NO_PROXY",     "NO_UNAUTH",    "FOLD_FIX",    "FOLD_MUL",        "OPEN_LOCK", "BULK_UPDATE",
    "MULTI_WRITER", "UTF8_REQUEST", "UTF8_ACTIVE", "SRC_RHS_IS_FILE", "SURROGATE",
};

void AppendName(std::string_view name, std::string* out) {
  if (!out->empty()) out->push_back('|');
  out->append(name);
}

}  // namespace

std::uint32_t OpenReplyFlags(std::uint32_t instance_flags, bool smtputf8_enable) {
  std::uint32_t flags = instance_flags | kFlagFixed;
  if (Utf8Active(instance_flags, smtputf8_enable)) flags |= kFlagUtf8Active;
  return flags;
}

bool Utf8Active(std::uint32_t instance_flags, bool smtputf8_enable) {
  return smtputf8_enable && (instance_flags & kFlagUtf8Request) != 0;
}

Folding FoldingOf(std::uint32_t flags, bool utf8_active, Dialect dialect) {
  if ((flags & kFlagFoldFix) == 0) return Folding::kNone;
  if (!utf8_active) return Folding::kAscii;
  if ((flags & kFlagFixed) != 0) return Folding::kUnicode;
  return dialect == Dialect::kLegacy ? Folding::kAscii : Folding::kNone;
}

std::string FlagNames(std::uint32_t flags) {
  std::string names;
  std::uint32_t unnamed = flags;
  for (std::size_t bit = 0; bit < std::size(kNames); ++bit) {
    const std::uint32_t flag = 1u << bit;
    if ((flags & flag) == 0 || kNames[bit].empty()) continue;
    AppendName(kNames[bit], &names);
    unnamed &= ~flag;
  }
  if (unnamed != 0) {
    char text[10] = {'0', 'x'};
    const std::to_chars_result end = std::to_chars(text + 2, text + sizeof text, unnamed, 16);
    AppendName(std::string_view(text, end.ptr - text), &names);
  }
  return names.empty() ? "0" : names;
}

}  // namespace proxymux::protocol
