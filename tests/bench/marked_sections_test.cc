#include "tests/bench/marked_sections.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace proxymux::bench {
namespace {

constexpr char kPage[] =
    "# Title\n"
    "by hand\n"
    "<!-- main: written by scripts/measure -->\n"
    "old\n"
    "<!-- main: end -->\n"
    "by hand too\n"
    "<!-- rows: written by scripts/measure -->\n"
    "other\n"
    "<!-- rows: end -->\n";

const MarkedSection kMain = {"main", "scripts/measure"};
const MarkedSection kRows = {"rows", "scripts/measure"};
const MarkedSection kX = {"x", "scripts/measure"};

TEST(MarkedSections, OnlyTheSectionIsReplaced) {
  EXPECT_EQ(ReplaceSection(kPage, kMain, "new\nlines"),
            "# Title\n"
            "by hand\n"
            "<!-- main: written by scripts/measure -->\n"
            "new\nlines\n"
            "<!-- main: end -->\n"
            "by hand too\n"
            "<!-- rows: written by scripts/measure -->\n"
            "other\n"
            "<!-- rows: end -->\n");
}

TEST(MarkedSections, AgainGivesTheSame) {
  const std::string once = ReplaceSection(kPage, kRows, "new");
  EXPECT_EQ(ReplaceSection(once, kRows, "new"), once);
}

TEST(MarkedSections, ANewSectionComesToTheEnd) {
  const std::string section = "<!-- x: written by scripts/measure -->\nnew\n<!-- x: end -->\n";
  EXPECT_EQ(ReplaceSection("", kX, "new"), section);
  EXPECT_EQ(ReplaceSection("text", kX, "new"), "text\n\n" + section);
  EXPECT_EQ(ReplaceSection(kPage, kX, "new\n"), std::string(kPage) + "\n" + section);
}

TEST(MarkedSections, ASectionWithoutAnEndIsNotGuessedAt) {
  const std::string text = "<!-- main: written by scripts/measure -->\nold\n";
  EXPECT_THROW(ReplaceSection(text, kMain, "new"), std::runtime_error);
}

}  // namespace
}  // namespace proxymux::bench
