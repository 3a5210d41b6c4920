// Reads the files that the lints look at.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "tests/lint/rooms.h"

namespace proxymux::lint {

struct SourceFile {
  std::string path;  // from the repository's root
  std::string text;
};

// Throws std::runtime_error when it cannot be read.
std::string ReadText(const std::filesystem::path& path);

// The .h and .cc files of all rooms, by room and name. A room without a folder has none.
std::vector<SourceFile> ReadSources(const std::filesystem::path& root, const House& house);

// The root of the source tree itself, which Bazel's link to `file`, a file of it, leads to. What a
// test is given otherwise is what its BUILD.bazel names. Throws std::runtime_error when it is not
// there.
std::filesystem::path SourceRoot(const std::filesystem::path& file);

// Every .h, .cc and BUILD.bazel file below `root`, by path, tests included. Left out: hidden
// folders, and links, among them those that Bazel makes.
std::vector<SourceFile> ReadTree(const std::filesystem::path& root);

// The folders below `root` that hold .h or .cc files. Left out: tests, hidden folders, and links,
// among them those that Bazel makes.
std::set<std::string> FoldersWithSources(const std::filesystem::path& root);

}  // namespace proxymux::lint
