// The source tree against the rules. Bazel's `visibility` says which library may depend on which;
// this says what a file may include, which GCC lets pass as long as the header can be found, and
// that Bazel says the same.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/lint/house_text.h"
#include "tests/lint/layering_rules.h"
#include "tests/lint/room_visibility.h"
#include "tests/lint/rooms.h"
#include "tests/lint/size_limits.h"
#include "tests/lint/source_tree.h"

namespace proxymux::lint {
namespace {

void FailWith(const std::vector<std::string>& messages) {
  for (const std::string& message : messages) ADD_FAILURE() << message;
}

class HouseTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const Room& room : Rooms()) {
      ASSERT_TRUE(std::filesystem::is_directory(room.name))
          << room.name << "/ is not there: is //" << room.name
          << ":sources in //tests/lint:rooms_of_the_house?";
    }
    files_ = ReadSources(".", Rooms());
  }

  std::vector<SourceFile> files_;
};

TEST_F(HouseTest, EveryFileKeepsTheRules) {
  for (const SourceFile& file : files_) {
    EXPECT_FALSE(file.text.empty()) << file.path << ": is empty";
    FailWith(CheckFile(Rooms(), file.path, file.text));
  }
}

TEST_F(HouseTest, TheTableOfRoomsSaysNoMoreThanThereIs) { FailWith(CheckTable(Rooms(), files_)); }

TEST_F(HouseTest, BazelKnowsTheSameArrows) {
  for (const Room& room : Rooms()) {
    const std::filesystem::path folder = room.name;
    FailWith(CheckVisibility(Rooms(), room.name, ReadText(folder / "BUILD.bazel")));
  }
}

TEST_F(HouseTest, NothingIsLargerThanItMayBe) {
  FailWith(CheckSizes(MeasureSizes(files_), Sizes()));
}

TEST_F(HouseTest, TheDesignPageShowsTheHouseAsItIs) {
  const std::string page = ReadText("docs/design.md");
  const std::string text = HouseText(FiguresOf(Rooms(), files_), UsedArrows(Rooms(), files_));
  EXPECT_TRUE(WithHouse(page, text) == page)
      << "docs/design.md shows another house than there is; run: scripts/layers --write\n"
      << text;
}

TEST_F(HouseTest, TheDesignPageSaysWhatEachFileIsFor) {
  FailWith(CheckFilesAreNamed(ReadText("docs/design.md"), files_));
}

}  // namespace
}  // namespace proxymux::lint
