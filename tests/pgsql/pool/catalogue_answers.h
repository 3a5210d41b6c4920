// What a server says of its catalogue when the pool asks, and which statements are questions of the
// pool's own.
#pragma once

#include <string>

namespace proxymux::pgsql {

inline constexpr char kStamp[] = "0123456789abcdef0123456789abcdef";
inline constexpr char kOtherStamp[] = "1123456789abcdef0123456789abcdef";

// Of a table's function, with kStamp.
inline constexpr char kShared[] = "reads shared 0123456789abcdef0123456789abcdef";
inline constexpr char kWritesShared[] = "writes shared 0123456789abcdef0123456789abcdef";
inline constexpr char kOwn[] = "reads session 0123456789abcdef0123456789abcdef function f(text)";
inline constexpr char kSecured[] =
    "reads transaction 0123456789abcdef0123456789abcdef row security of t";

inline bool AsksCatalogue(const std::string& sql) {
  return sql.find("pg_rewrite") != std::string::npos;
}
// What a table's functions do, which has the stamp with it.
inline bool AsksEffects(const std::string& sql) { return sql.find("$3") != std::string::npos; }
// The stamp alone.
inline bool AsksStamp(const std::string& sql) { return AsksCatalogue(sql) && !AsksEffects(sql); }
// How far the server is behind its primary.
inline bool AsksLag(const std::string& sql) {
  return sql.find("pg_control_system") != std::string::npos;
}

}  // namespace proxymux::pgsql
