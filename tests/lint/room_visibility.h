// What a room's BUILD.bazel says of who may depend on it, against the table of rooms: the same,
// said to Bazel. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/lint/rooms.h"

namespace proxymux::lint {

// `build` is the text of the BUILD.bazel of `room`. Its default_visibility must name the rooms that
// may include `room`, and the tests; a target's own visibility may name fewer, and the room itself.
std::vector<std::string> CheckVisibility(const House& house, std::string_view room,
                                         std::string_view build);

}  // namespace proxymux::lint
