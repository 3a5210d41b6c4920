#include "tests/harness/own_files.h"

#include <sched.h>
#include <sys/mount.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "tests/harness/temp_directory.h"

namespace proxymux::harness {
namespace {

[[noreturn]] void Fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno) + " (run it as root)");
}

}  // namespace

void EnterOwnFiles(const std::string& directory, const std::map<std::string, std::string>& texts) {
  if (::unshare(CLONE_NEWNS) != 0) Fail("unshare");
  // What is mounted here must not show outside.
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) Fail("mount");
  for (const auto& [path, text] : texts) {
    const std::string ours = directory + "/" + std::filesystem::path(path).filename().string();
    WriteFile(ours, text);
    if (::mount(ours.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0) Fail(path);
  }
}

}  // namespace proxymux::harness
