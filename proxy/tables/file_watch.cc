#include "proxy/tables/file_watch.h"

#include <cerrno>
#include <utility>

namespace proxymux::proxy {
namespace {

std::int64_t Nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

FileSignature FileSignature::Of(const std::string& path) {
  struct stat info {};
  FileSignature signature;
  if (stat(path.c_str(), &info) != 0) {
    signature.visible = errno != EACCES;
    return signature;
  }
  signature.device = info.st_dev;
  signature.inode = info.st_ino;
  signature.size = info.st_size;
  signature.modified_ns = Nanoseconds(info.st_mtim);
  signature.changed_ns = Nanoseconds(info.st_ctim);
  return signature;
}

FileWatch::FileWatch(pgsql::EventLoop* loop, std::chrono::milliseconds interval,
                     std::function<void(const std::set<std::string>&)> on_change)
    : loop_(loop),
      interval_(interval),
      on_change_(std::move(on_change)),
      timer_(loop->NewTimer([this] { Look(); })) {}

void FileWatch::Watch(const std::map<std::string, FileSignature>& files) {
  std::erase_if(files_, [&files](const auto& item) { return !files.contains(item.first); });
  for (const auto& [path, signature] : files) {
    files_.insert_or_assign(path, Watched{signature, signature});
  }
  if (look_ == nullptr) timer_->Start(interval_);
}

void FileWatch::Look() {
  auto found = std::make_shared<std::map<std::string, FileSignature>>();
  for (const auto& [path, watched] : files_) found->emplace(path, FileSignature());
  look_ = loop_->RunBlocking(
      [found] {
        for (auto& [path, signature] : *found) signature = FileSignature::Of(path);
      },
      [this, found] {
        look_.reset();
        Compare(*found);
        timer_->Start(interval_);
      });
}

void FileWatch::Compare(const std::map<std::string, FileSignature>& found) {
  std::set<std::string> changed;
  for (const auto& [path, signature] : found) {
    const auto file = files_.find(path);
    if (file == files_.end() || !signature.visible) continue;
    Watched& watched = file->second;
    const bool settled = signature == watched.latest;
    watched.latest = signature;
    if (!settled || signature == watched.known) continue;
    watched.known = signature;
    changed.insert(path);
  }
  if (!changed.empty()) on_change_(changed);
}

}  // namespace proxymux::proxy
