#include "tests/lint/floors.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace proxymux::lint {
namespace {

using FloorMap = std::map<std::string, int, std::less<>>;

TEST(Floors, OneAboveTheHighestThatIsIncluded) {
  EXPECT_EQ(Floors({{"roof", {"cellar", "attic"}}, {"attic", {"cellar"}}, {"cellar", {}}}),
            (FloorMap{{"cellar", 1}, {"attic", 2}, {"roof", 3}}));
}

TEST(Floors, WhatStandsInACircleHasNone) {
  EXPECT_EQ(Floors({{"a", {"b"}}, {"b", {"c"}}, {"c", {"a"}}, {"d", {"a"}}, {"e", {}}}),
            (FloorMap{{"e", 1}}));
  EXPECT_TRUE(Floors({{"a", {"a"}}}).empty());
  EXPECT_TRUE(Floors({{"a", {"nowhere"}}}).empty());
}

TEST(Floors, OfTheTableHaveNoCircle) {
  const Arrows arrows = AllowedArrows(Rooms());
  const FloorMap floors = Floors(arrows);
  for (const auto& [room, included] : arrows) {
    EXPECT_TRUE(floors.contains(room))
        << room << " includes itself on some way, or what does, or no room of the table";
  }
}

TEST(Rooms, StandLowestFirstAndOnce) {
  std::set<std::string_view> below;
  for (const Room& room : Rooms()) {
    EXPECT_FALSE(room.holds.empty()) << room.name;
    for (std::string_view name : room.may_include) {
      EXPECT_TRUE(below.contains(name))
          << room.name << " includes " << name << ": put it higher up";
    }
    EXPECT_TRUE(below.insert(room.name).second) << room.name << " has two rows";
  }
}

TEST(Rooms, AFileBelongsToItsFolder) {
  EXPECT_EQ(FolderOf("pgsql/pool/work.h"), "pgsql/pool");
  EXPECT_EQ(FolderOf("proxy/main.cc"), "proxy");
  EXPECT_EQ(FolderOf("work.h"), "");
  EXPECT_NE(FindRoom(Rooms(), "proxy"), nullptr);
  EXPECT_EQ(FindRoom(Rooms(), "pgsql"), nullptr);
}

}  // namespace
}  // namespace proxymux::lint
