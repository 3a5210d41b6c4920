// The file that the process runs: which build it is, and whether another one has taken its place.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

namespace proxymux::proxy {

// The build id that the linker wrote into the program (ld(1), --build-id), in hexadecimal digits:
// what debuggers and packages of debug symbols know it by. Empty when it has none.
std::string BuildId();

class ProgramFile {
 public:
  enum class OnDisk {
    kSame,      // as it was at the start, or not to be told
    kReplaced,  // an upgrade: the process goes on with what it is until it is started again
    kGone,      // removed
  };

  // `path` as it is now; an empty one is never told to have changed.
  explicit ProgramFile(std::string path);
  // That of the process itself (proc(5), /proc/self/exe), also when it was replaced meanwhile.
  static ProgramFile Running();

  OnDisk Now() const;

  const std::string& path() const { return path_; }

 private:
  ProgramFile(std::string path, const char* now);

  std::string path_;
  bool known_ = false;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

std::string_view OnDiskName(ProgramFile::OnDisk state);  // "same", "replaced", "gone"

}  // namespace proxymux::proxy
