// The limit of lines holds for every file that is there, also for tests and BUILD.bazel files,
// which are no rooms. It looks at the source tree itself, and Bazel runs it each time.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "tests/lint/size_limits.h"
#include "tests/lint/source_tree.h"

namespace proxymux::lint {
namespace {

TEST(Lines, OfNoFileAreMoreThanItsLimit) {
  const std::vector<SourceFile> files = ReadTree(SourceRoot("tests/lint/lines_test.cc"));
  std::vector<Size> sizes;
  bool has_tests = false;
  for (const SourceFile& file : files) {
    has_tests = has_tests || file.path == "tests/lint/BUILD.bazel";
    const auto lines = static_cast<std::size_t>(std::ranges::count(file.text, '\n'));
    sizes.push_back({Measure::kLinesOfFile, file.path, lines});
  }
  EXPECT_TRUE(has_tests) << "the tree was not read";
  SizeTable table = Sizes();
  std::erase_if(table.exceptions,
                [](const SizeException& entry) { return entry.measure != Measure::kLinesOfFile; });
  for (const std::string& message : CheckSizes(sizes, table)) ADD_FAILURE() << message;
}

}  // namespace
}  // namespace proxymux::lint
