#include "tests/lint/size_limits.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace proxymux::lint {
namespace {

using Messages = std::vector<std::string>;

std::string Lines(std::size_t number) { return std::string(number, '\n'); }

Messages Check(const std::vector<SourceFile>& files, const SizeTable& table) {
  return CheckSizes(MeasureSizes(files), table);
}

std::string ClassWith(std::size_t functions, std::size_t data) {
  std::string text = "class C {";
  for (std::size_t i = 0; i < functions; ++i) text += "void F" + std::to_string(i) + "();";
  for (std::size_t i = 0; i < data; ++i) text += "int x" + std::to_string(i) + ";";
  return text + "};";
}

TEST(SizeLimits, ThreeHundredLinesAreEnough) {
  EXPECT_EQ(Check({{"a/b.cc", Lines(300)}}, {}), Messages());
  const Messages one_more = {"a/b.cc has 301 lines, more than 300; split it into two ideas"};
  EXPECT_EQ(Check({{"a/b.cc", Lines(301)}}, {}), one_more);
  EXPECT_EQ(Check({{"a/b.cc", Lines(300) + "int x;"}}, {}), one_more) << "no newline at the end";
}

TEST(SizeLimits, TablesOfDataAreAsLongAsWhatTheyList) {
  EXPECT_EQ(Check({{"a/b.cc", Lines(1000)}}, {.exceptions = {}, .data_files = {"a/b.cc"}}),
            Messages());
  const Messages not_needed = {
      "tests/lint/size_table.cc: a/b.cc needs no entry among the tables of data any more; take it "
      "out"};
  EXPECT_EQ(Check({{"a/b.cc", Lines(300)}}, {.exceptions = {}, .data_files = {"a/b.cc"}}),
            not_needed);
  EXPECT_EQ(Check({}, {.exceptions = {}, .data_files = {"a/b.cc"}}), not_needed);
}

TEST(SizeLimits, MembersOfAClass) {
  EXPECT_EQ(Check({{"a/b.cc", ClassWith(30, 20)}}, {}), Messages());
  EXPECT_EQ(Check({{"a/b.cc", ClassWith(31, 21)}}, {}),
            (Messages{"a/b.cc C has 31 member functions, more than 30; split it into two ideas",
                      "a/b.cc C has 21 data members, more than 20; split it into two ideas"}));
}

TEST(SizeLimits, FilesOfAFolder) {
  std::vector<SourceFile> files;
  for (int i = 0; i < 30; ++i) files.push_back({"a/" + std::to_string(i) + ".cc", ""});
  files.push_back({"a/b/0.cc", ""});
  EXPECT_EQ(Check(files, {}), Messages());
  files.push_back({"a/30.cc", ""});
  EXPECT_EQ(Check(files, {}), Messages{"a has 31 files, more than 30; split it into two ideas"});
}

TEST(SizeLimits, AnExceptionGoesDownOnly) {
  const SizeTable table = {.exceptions = {{Measure::kLinesOfFile, "a/b.cc", 320}},
                           .data_files = {}};
  EXPECT_EQ(Check({{"a/b.cc", Lines(320)}}, table), Messages());
  EXPECT_EQ(Check({{"a/b.cc", Lines(321)}}, table),
            Messages{"a/b.cc has 321 lines, more than the 320 of its exception; it may only become "
                     "smaller"});
  EXPECT_EQ(
      Check({{"a/b.cc", Lines(319)}}, table),
      Messages{"tests/lint/size_table.cc: a/b.cc has 319 lines, its exception says 320; lower "
               "it"});
  const Messages not_needed = {
      "tests/lint/size_table.cc: a/b.cc needs no exception for lines any more; take it out"};
  EXPECT_EQ(Check({{"a/b.cc", Lines(300)}}, table), not_needed);
  EXPECT_EQ(Check({}, table), not_needed);
}

TEST(SizeLimits, AnExceptionIsForOneMeasure) {
  EXPECT_EQ(Check({{"a/b.cc", ClassWith(31, 21)}},
                  {.exceptions = {{Measure::kDataOfClass, "a/b.cc C", 21}}, .data_files = {}})
                .size(),
            1u);
}

}  // namespace
}  // namespace proxymux::lint
