// Which room stands on which. Pure.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "tests/lint/rooms.h"

namespace proxymux::lint {

// Each room with the others that it includes.
using Arrows = std::map<std::string, std::set<std::string>, std::less<>>;

// What the table allows.
Arrows AllowedArrows(const House& house);

// The floor of each room: 1 + the highest floor that it includes. Rooms that include each other in
// a circle have none, and neither has what includes these.
std::map<std::string, int, std::less<>> Floors(const Arrows& arrows);

}  // namespace proxymux::lint
