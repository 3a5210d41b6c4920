// Which build the program is, and that an upgrade of its file is noticed.
#include "proxy/process/program_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <string>

#include "tests/harness/process.h"
#include "tests/harness/temp_directory.h"

namespace proxymux::proxy {
namespace {

using OnDisk = ProgramFile::OnDisk;
using harness::WriteFile;

TEST(ProgramFile, IsTheSameUntilAnotherTakesItsPlace) {
  const harness::TempDirectory directory;
  const std::string path = directory / "program";
  WriteFile(path, "old");
  const ProgramFile program(path);
  EXPECT_EQ(program.Now(), OnDisk::kSame);
  // As dpkg(1) does it: a new file is renamed to where the old one is.
  WriteFile(path + ".new", "new");
  std::filesystem::rename(path + ".new", path);
  EXPECT_EQ(program.Now(), OnDisk::kReplaced);
  EXPECT_EQ(ProgramFile(path).Now(), OnDisk::kSame);
  std::filesystem::remove(path);
  EXPECT_EQ(program.Now(), OnDisk::kGone);
}

TEST(ProgramFile, AFileThatCannotBeSeenHasNotChanged) {
  EXPECT_EQ(ProgramFile("/no/such/program").Now(), OnDisk::kSame);
  EXPECT_EQ(ProgramFile("").Now(), OnDisk::kSame);
}

TEST(ProgramFile, TheRunningOneIsFound) {
  const ProgramFile running = ProgramFile::Running();
  EXPECT_EQ(running.Now(), OnDisk::kSame);
  EXPECT_TRUE(running.path().ends_with("/program_file_test")) << running.path();
}

// readelf(1) reads the same notes from the file.
TEST(BuildId, IsWhatTheLinkerWrote) {
  const std::string id = BuildId();
  const std::string notes =
      harness::RunOrThrow({"readelf", "--notes", ProgramFile::Running().path()});
  EXPECT_GE(id.size(), 16U) << notes;
  EXPECT_TRUE(std::ranges::all_of(id, [](unsigned char c) { return std::isxdigit(c) != 0; })) << id;
  EXPECT_NE(notes.find("Build ID: " + id), std::string::npos) << id << '\n' << notes;
}

}  // namespace
}  // namespace proxymux::proxy
