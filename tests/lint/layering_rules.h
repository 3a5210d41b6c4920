// The rules of the source tree that no compiler checks:
//   - which room may include which: protocol nothing, config nothing, pgsql config's value structs,
//   proxy all three;
//   - protocol is built on the C++ standard library alone;
//   - each third-party library is named in one place only, so that the rest does not depend on it;
//   - a file has at most 400 lines;
//   - no `catch (...)`: it would also swallow what nobody has thought of.
// The tables are in layering_rules.cc; docs/design.md gives the reasons.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace proxymux::lint {

inline constexpr std::size_t kMaxLines = 400;

// The rooms, lowest first.
const std::vector<std::string>& Rooms();

// What is wrong with one file, one message for each: "pgsql/lookup.cc:12: includes ...". `path` is
// from the repository's root.
std::vector<std::string> CheckFile(std::string_view path, std::string_view text);

}  // namespace proxymux::lint
