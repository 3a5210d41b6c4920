// A directory of a test's own, removed with all that works in it.
//
// Its name is short (names of UNIX sockets end at 107 bytes) and every user may pass through it,
// since PostgreSQL and Postfix change theirs. Destruction kills every process whose working
// directory lies in it and removes it. When this process dies without destructors (a time limit,
// kill -9), a small guard process, forked at the first TempDirectory, does the same. Make the first
// one before starting threads.
#pragma once

#include <string>

namespace proxymux::harness {

class TempDirectory {
 public:
  TempDirectory();
  ~TempDirectory();
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  // Leaves the directory and its processes behind, for a human to look at.
  void Keep();
  // What destruction does, to any directory: one that was kept, or from a signal's thread.
  static void Remove(const std::string& directory);

 private:
  std::string path_;
  bool keep_ = false;
};

// Writes a whole file: first beside it, then renamed, so that a reader sees either the old or the
// new one.
void WriteFile(const std::string& path, const std::string& text, int mode = 0644);
// The same, and the file is an hour old: postconf(1) waits until main.cf is older than two seconds.
void WriteOldFile(const std::string& path, const std::string& text);
std::string ReadFile(const std::string& path);  // empty when it is not there

}  // namespace proxymux::harness
