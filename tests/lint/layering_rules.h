// The rules of the source tree that no compiler checks:
//   - a file includes its own room and those that the room's row in rooms.cc names;
//   - rooms whose row does not say otherwise do without the headers of the operating system;
//   - each third-party library is named in one place only, so that the rest does not depend on it;
//   - headers are included by their path from the repository's root;
//   - no `catch (...)`: it would also swallow what nobody has thought of;
//   - what a row allows is made use of, so that the table is the truth.
// The table of libraries is in layering_rules.cc; docs/design.md gives the reasons.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/lint/floors.h"
#include "tests/lint/rooms.h"
#include "tests/lint/source_tree.h"

namespace proxymux::lint {

// What is wrong with one file, one message for each: "pgsql/pool/work.cc:12: includes ...". `path`
// is from the repository's root.
std::vector<std::string> CheckFile(const House& house, std::string_view path,
                                   std::string_view text);

// The arrows between the rooms of `house` that `files` use; each room is there.
Arrows UsedArrows(const House& house, const std::vector<SourceFile>& files);

// What `house` allows and no file of `files`, which are all there are, makes use of.
std::vector<std::string> CheckTable(const House& house, const std::vector<SourceFile>& files);

}  // namespace proxymux::lint
