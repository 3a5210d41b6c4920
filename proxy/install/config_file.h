// main.cf or master.cf: read once, kept beside itself, and replaced in one step as Postfix's own
// programs do it.
//
// The lock is theirs too: whoever edits FILE holds FILE.tmp (flock(2)) and renames that, so that
// postconf(1) waits, or is waited for. Owner, group and mode stay, and a symbolic link stays one.
// Blocking. What fails is told as one line of text. Root only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace proxymux::proxy {

class ConfigFile {
 public:
  // Nothing: it went well.
  std::optional<std::string> Read(const std::string& path);

  const std::string& path() const { return path_; }
  const std::string& text() const { return text_; }  // as it was read, or put there
  // Why it may not be replaced: it is not what text() says any more. Nothing: it still is.
  std::optional<std::string> Changed() const;

  // Keeps text() as FILE.proxymux-YYYYMMDDTHHMMSSZ; kept() names that.
  std::optional<std::string> Keep();
  const std::string& kept() const { return kept_; }  // empty: Keep() was not called

  // Refuses where Changed() has something to say.
  std::optional<std::string> Replace(const std::string& text);

  // A file of the same owner, group and mode, which must not be there yet.
  std::optional<std::string> WriteCopy(const std::string& path, std::string_view text) const;

 private:
  std::string path_;
  std::string real_path_;  // behind symbolic links
  std::string text_;
  std::string kept_;
};

// The paths of what Keep() has left of a file, the latest first.
std::vector<std::string> KeptCopies(const std::string& path);

}  // namespace proxymux::proxy
