// Tells when files change, by looking at them: works for files that are replaced, rewritten, made
// or removed, on any file system.
//
// Looks on a worker thread, so that a slow disk does not hold up the loop. A change is reported
// once the file has looked the same at two looks in a row, so that one that is being written is not
// read half way.
#pragma once

#include <sys/stat.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "pgsql/runtime/event_loop.h"

namespace proxymux::proxy {

// What tells one version of a file from another; all zero for a file that is not there.
struct FileSignature {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;

  bool visible = true;  // false: we may not look (a directory that only root may enter), which says nothing about the file

  static FileSignature Of(const std::string& path);
  friend bool operator==(const FileSignature&, const FileSignature&) = default;
};

class FileWatch {
 public:
  // `on_change` gets the files that changed and have settled.
  FileWatch(pgsql::EventLoop* loop, std::chrono::milliseconds interval,
            std::function<void(const std::set<std::string>& files)> on_change);

  void SetInterval(std::chrono::milliseconds interval) { interval_ = interval; }
  // Watches these from now on, and no others. Each comes with the signature that it had before it
  // was read.
  void Watch(const std::map<std::string, FileSignature>& files);

 private:
  struct Watched {
    FileSignature known;   // as last reported
    FileSignature latest;  // at the latest look
  };

  void Look();
  void Compare(const std::map<std::string, FileSignature>& found);

  pgsql::EventLoop* const loop_;
  std::chrono::milliseconds interval_;
  std::function<void(const std::set<std::string>&)> on_change_;
  std::map<std::string, Watched> files_;
  std::unique_ptr<pgsql::Timer> timer_;
  std::unique_ptr<pgsql::PendingCall> look_;
};

}  // namespace proxymux::proxy
