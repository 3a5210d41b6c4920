// Dictionary flags as they stand in `flags` and `instance_flags`. Bit numbers are wire values, the
// same in Postfix 3.7 to 3.12 (SURROGATE from 3.11 on).
//
// For a pgsql table these matter: UTF8_REQUEST, read from an opened table's flags
// (`instance_flags`), and FOLD_FIX with FIXED, read from a lookup's own (`flags`). FIXED and
// UTF8_ACTIVE are what an open reply adds. All others are echoed and have no effect.
#pragma once

#include <cstdint>
#include <string>

#include "protocol/dialect.h"

namespace proxymux::protocol {

inline constexpr std::uint32_t kFlagFixed = 1u << 4;    // fixed keys: clients also ask for @domain
inline constexpr std::uint32_t kFlagPattern = 1u << 5;  // patterns: clients do not; never set by us
inline constexpr std::uint32_t kFlagLock = 1u << 6;
inline constexpr std::uint32_t kFlagNoProxy = 1u << 12;
inline constexpr std::uint32_t kFlagFoldFix = 1u << 14;  // fold keys of a fixed-string table
inline constexpr std::uint32_t kFlagFoldMul = 1u << 15;  // fold keys of a pattern table
inline constexpr std::uint32_t kFlagUtf8Request = 1u
                                                  << 19;    // UTF-8 rules, if smtputf8_enable = yes
inline constexpr std::uint32_t kFlagUtf8Active = 1u << 20;  // they are in force
inline constexpr std::uint32_t kFlagSrcRhsIsFile =
    1u << 21;  // no effect: the database has the content
inline constexpr std::uint32_t kFlagSurrogate = 1u << 22;  // could not be opened; never set by us

// The flags of the reply to a good open of a pgsql table. What was asked for stays set: from 3.11
// on a client panics when one is missing. A broken table gets the same reply, or its clients would
// never again ask it for partial keys.
std::uint32_t OpenReplyFlags(std::uint32_t instance_flags, bool smtputf8_enable);

// Whether UTF-8 rules apply to keys and results of a table opened so.
bool Utf8Active(std::uint32_t instance_flags, bool smtputf8_enable);

// How the server folds the key of a lookup in a pgsql table. FOLD_FIX asks for it. With UTF-8 active stock heeds it only
// together with FIXED; but a legacy client with smtputf8_enable = no sends UTF8_REQUEST, never FIXED, and its key as it is, and
// stock folds ASCII for it.
enum class Folding { kNone, kAscii, kUnicode };
Folding FoldingOf(std::uint32_t flags, bool utf8_active, Dialect dialect);

// For logs: "FIXED|FOLD_FIX|0x80000000"; "0" for none.
std::string FlagNames(std::uint32_t flags);

}  // namespace proxymux::protocol
