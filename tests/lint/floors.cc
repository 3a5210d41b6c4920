#include "tests/lint/floors.h"

#include <algorithm>

namespace proxymux::lint {

Arrows AllowedArrows(const House& house) {
  Arrows arrows;
  for (const Room& room : house) {
    std::set<std::string>& included = arrows[std::string(room.name)];
    for (std::string_view name : room.may_include) included.emplace(name);
  }
  return arrows;
}

std::map<std::string, int, std::less<>> Floors(const Arrows& arrows) {
  std::map<std::string, int, std::less<>> floors;
  // Each turn gives a floor to at least one room, until what is left stands in circles.
  for (bool found = true; found;) {
    found = false;
    for (const auto& [room, included] : arrows) {
      if (floors.contains(room)) continue;
      int highest = 0;
      const bool known = std::ranges::all_of(included, [&](const std::string& name) {
        const auto floor = floors.find(name);
        if (floor == floors.end()) return false;
        highest = std::max(highest, floor->second);
        return true;
      });
      if (!known) continue;
      floors[room] = highest + 1;
      found = true;
    }
  }
  return floors;
}

}  // namespace proxymux::lint
