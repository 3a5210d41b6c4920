// The source tree against the rules. Bazel's `visibility` says which library may depend on which;
// this says what a file may include, which GCC lets pass as long as the header can be found.
#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "tests/lint/layering_rules.h"

namespace proxymux::lint {
namespace {

TEST(Layering, EveryFileKeepsTheRules) {
  for (const std::string& room : Rooms()) {
    ASSERT_TRUE(std::filesystem::is_directory(room))
        << room << "/ is not there: is //" << room << ":sources among the test's data?";
    std::set<std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(room)) {
      const std::filesystem::path extension = entry.path().extension();
      if (extension == ".h" || extension == ".cc") files.insert(entry.path().generic_string());
    }
    EXPECT_FALSE(files.empty()) << room << "/ has no source files";
    for (const std::string& path : files) {
      std::ifstream file(path, std::ios::binary);
      std::ostringstream text;
      text << file.rdbuf();
      ASSERT_TRUE(file) << path << ": cannot be read";
      EXPECT_FALSE(text.str().empty()) << path << ": is empty";
      for (const std::string& message : CheckFile(path, text.str())) ADD_FAILURE() << message;
    }
  }
}

}  // namespace
}  // namespace proxymux::lint
