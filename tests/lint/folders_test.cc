// The table of rooms against the folders that are there. What a test is given are the folders that
// its BUILD.bazel names, so this one looks where these come from, and Bazel runs it each time.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>

#include "tests/lint/rooms.h"
#include "tests/lint/source_tree.h"

namespace proxymux::lint {
namespace {

TEST(Folders, EachWithSourcesIsARoomOfTheTableAndTheOtherWayRound) {
  const std::filesystem::path root = SourceRoot("tests/lint/rooms.cc");
  const std::set<std::string> folders = FoldersWithSources(root);
  for (const std::string& folder : folders) {
    EXPECT_NE(FindRoom(Rooms(), folder), nullptr)
        << folder << "/ has sources and no row in tests/lint/rooms.cc";
  }
  for (const Room& room : Rooms()) {
    EXPECT_TRUE(folders.contains(std::string(room.name)))
        << room.name << " has a row in tests/lint/rooms.cc and no folder with sources";
  }
}

}  // namespace
}  // namespace proxymux::lint
