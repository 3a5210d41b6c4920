#include "tests/lint/source_tree.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace proxymux::lint {
namespace {

namespace fs = std::filesystem;

bool IsSource(const fs::path& path) {
  return path.extension() == ".h" || path.extension() == ".cc";
}

bool IsHidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

}  // namespace

std::string ReadText(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) throw std::runtime_error(path.string() + ": cannot be read");
  return text.str();
}

std::vector<SourceFile> ReadSources(const fs::path& root, const House& house) {
  std::vector<SourceFile> files;
  for (const Room& room : house) {
    if (!fs::is_directory(root / room.name)) continue;
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(root / room.name)) {
      if (IsSource(entry.path())) names.push_back(entry.path().filename().string());
    }
    std::ranges::sort(names);
    for (const std::string& name : names) {
      std::string path = std::string(room.name) + "/" + name;
      std::string text = ReadText(root / path);
      files.push_back({std::move(path), std::move(text)});
    }
  }
  return files;
}

fs::path SourceRoot(const fs::path& file) {
  fs::path root = fs::canonical(file);
  for ([[maybe_unused]] const fs::path& part : file) root = root.parent_path();
  if (!fs::exists(root / "WORKSPACE")) {
    throw std::runtime_error(root.string() + " is not the source tree");
  }
  return root;
}

std::vector<SourceFile> ReadTree(const fs::path& root) {
  std::vector<SourceFile> files;
  for (auto entry = fs::recursive_directory_iterator(root);
       entry != fs::recursive_directory_iterator(); ++entry) {
    const fs::path& path = entry->path();
    if (entry->is_directory()) {
      if (IsHidden(path)) entry.disable_recursion_pending();
    } else if (IsSource(path) || path.filename() == "BUILD.bazel") {
      files.push_back({path.lexically_relative(root).generic_string(), ReadText(path)});
    }
  }
  std::ranges::sort(files, {}, &SourceFile::path);
  return files;
}

std::set<std::string> FoldersWithSources(const fs::path& root) {
  std::set<std::string> folders;
  for (auto entry = fs::recursive_directory_iterator(root);
       entry != fs::recursive_directory_iterator(); ++entry) {
    const fs::path path = entry->path().lexically_relative(root);
    if (entry->is_directory()) {
      if (path == "tests" || IsHidden(path)) {
        entry.disable_recursion_pending();
      }
    } else if (IsSource(path)) {
      folders.insert(path.parent_path().generic_string());
    }
  }
  return folders;
}

}  // namespace proxymux::lint
