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

TEST(MarkedSections, OnlyTheSectionIsReplaced) {
  EXPECT_EQ(ReplaceSection(kPage, "main", "new\nlines"),
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
  const std::string once = ReplaceSection(kPage, "rows", "new");
  EXPECT_EQ(ReplaceSection(once, "rows", "new"), once);
}

TEST(MarkedSections, ANewSectionComesToTheEnd) {
  const std::string section = "<!-- x: written by scripts/measure -->\nnew\n<!-- x: end -->\n";
  EXPECT_EQ(ReplaceSection("", "x", "new"), section);
  EXPECT_EQ(ReplaceSection("text", "x", "new"), "text\n\n" + section);
  EXPECT_EQ(ReplaceSection(kPage, "x", "new\n"), std::string(kPage) + "\n" + section);
}

TEST(MarkedSections, ASectionWithoutAnEndIsNotGuessedAt) {
  const std::string text = "<!-- main: written by scripts/measure -->\nold\n";
  EXPECT_THROW(ReplaceSection(text, "main", "new"), std::runtime_error);
}

}  // namespace
}  // namespace proxymux::bench
