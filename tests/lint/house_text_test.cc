#include "tests/lint/house_text.h"

#include <gtest/gtest.h>

#include <string>

namespace proxymux::lint {
namespace {

TEST(HouseText, FiguresAreThoseOfTheRoomsOwnFiles) {
  const auto rooms = FiguresOf({{"wing", "the wing", {}}, {"wing/lower", "", {}}},
                               {{"wing/a.h", "\n\n"}, {"wing/a.cc", "\n"}, {"wing/lower/b.h", ""}});
  ASSERT_EQ(rooms.size(), 2u);
  EXPECT_EQ(rooms[0].name, "wing");
  EXPECT_EQ(rooms[0].holds, "the wing");
  EXPECT_EQ(rooms[0].files, 2u);
  EXPECT_EQ(rooms[0].lines, 3u);
  EXPECT_EQ(rooms[1].files, 1u);
}

TEST(HouseText, FloorsAndDrawing) {
  const std::vector<RoomFigures> rooms = {
      {"ground", "stands on nothing", 12, 1449},
      {"wing/lower", "the lower one", 1, 3},
      {"wing/upper", "the upper one", 2, 950},
      {"wing", "all of it", 1, 51},
  };
  const Arrows arrows = {{"ground", {}},
                         {"wing/lower", {}},
                         {"wing/upper", {"ground"}},
                         {"wing", {"ground", "wing/lower", "wing/upper"}}};
  EXPECT_EQ(HouseText(rooms, arrows),
            "floor 1\n"
            "  ground            12 files  1,400 lines  stands on nothing\n"
            "  wing/lower         1 file     100 lines  the lower one\n"
            "\n"
            "floor 2\n"
            "  wing/upper         2 files  1,000 lines  the upper one\n"
            "                   -> ground\n"
            "\n"
            "floor 3\n"
            "  wing               1 file     100 lines  all of it\n"
            "                   -> ground, wing/lower, wing/upper\n"
            "\n"
            "floor | ground | wing\n"
            "------+--------+------\n"
            "    3 |        | wing\n"
            "    2 |        | upper\n"
            "    1 | ground | lower\n");
}

TEST(HouseText, ManyArrowsTakeSeveralLines) {
  Arrows arrows;
  for (char c = 'a'; c <= 'l'; ++c) arrows["roof"].insert("a_long_name_" + std::string(1, c));
  for (const std::string& name : std::set(arrows["roof"])) arrows[name];
  const std::string text = HouseText({{"roof", "", 1, 100}}, arrows);
  EXPECT_NE(text.find("                   -> a_long_name_a, a_long_name_b, a_long_name_c, "
                      "a_long_name_d, a_long_name_e,\n"
                      "                      a_long_name_f, "),
            std::string::npos)
      << text;
}

TEST(HouseText, ACircleStandsOnNoFloor) {
  const std::string text = HouseText({{"a", "", 1, 100}, {"b", "", 1, 100}, {"c", "", 1, 100}},
                                     {{"a", {"b"}}, {"b", {"a"}}, {"c", {}}});
  EXPECT_LT(text.find("floor 1\n  c "), text.find("floor 0\n  a "));
}

TEST(HouseText, ThePageKeepsWhatStandsAroundIt) {
  EXPECT_EQ(WithHouse("# Title\n<!-- house: written by scripts/layers --write -->\nold\n"
                      "<!-- house: end -->\nmore\n",
                      "new\n"),
            "# Title\n<!-- house: written by scripts/layers --write -->\n```text\nnew\n```\n"
            "<!-- house: end -->\nmore\n");
}

TEST(HouseText, EachFileIsNamedOnThePage) {
  const std::vector<SourceFile> files = {
      {"a/one.cc", ""}, {"a/one.h", ""}, {"a/two.h", ""}, {"b/three.cc", ""}};
  EXPECT_EQ(CheckFilesAreNamed("| `one`, `two.h` | ones |", files),
            std::vector<std::string>{"b/three.cc stands in no table of docs/design.md"});
}

}  // namespace
}  // namespace proxymux::lint
