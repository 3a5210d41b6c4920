// The picture of the house: its rooms from the lowest floor up, and a drawing of the floors. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tests/lint/floors.h"
#include "tests/lint/rooms.h"
#include "tests/lint/source_tree.h"

namespace proxymux::lint {

struct RoomFigures {
  std::string name;
  std::string holds;
  std::size_t files = 0;  // .h and .cc
  std::size_t lines = 0;
};

// In the order of `house`.
std::vector<RoomFigures> FiguresOf(const House& house, const std::vector<SourceFile>& files);

// Lines to the nearest hundred, so that not every edit changes the text. Rooms without a floor
// (they include each other in a circle) come last, on floor 0.
std::string HouseText(const std::vector<RoomFigures>& rooms, const Arrows& arrows);

// `page`, the text of docs/design.md, with `text` as its section "house".
std::string WithHouse(const std::string& page, const std::string& text);

// The files that no table of the page names, by their names without .h or .cc: one message each.
std::vector<std::string> CheckFilesAreNamed(std::string_view page,
                                            const std::vector<SourceFile>& files);

}  // namespace proxymux::lint
