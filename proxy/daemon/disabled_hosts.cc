#include "proxy/daemon/disabled_hosts.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <sstream>

#include "proxy/text/text_file.h"

namespace proxymux::proxy {
namespace {

constexpr std::string_view kHead =
    "# Hosts that get no lookups: see proxymux(8), ctl disable and ctl enable.\n";

// Empty, or what went wrong.
std::string WriteWhole(const std::string& path, std::string_view text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (fd < 0) return std::strerror(errno);
  std::string error;
  while (!text.empty() && error.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written >= 0) text.remove_prefix(static_cast<std::size_t>(written));
    if (written < 0 && errno != EINTR) error = std::strerror(errno);
  }
  if (close(fd) != 0 && error.empty()) error = std::strerror(errno);
  return error;
}

}  // namespace

std::string DisabledHosts::FileOf(const std::string& data_directory,
                                  const std::string& service_name) {
  std::string name = service_name;
  std::ranges::replace(name, '/', '_');
  return data_directory + "/proxymux-" + name + ".disabled";
}

std::string DisabledHosts::Load() {
  names_.clear();
  if (access(file_.c_str(), F_OK) != 0 && errno == ENOENT) return "";
  std::string error;
  const auto text = ReadTextFile(file_, &error);
  if (!text.has_value()) return file_ + ": cannot be read: " + error;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && !line.starts_with('#')) names_.insert(line);
  }
  return "";
}

std::string DisabledHosts::Disable(std::string_view host) {
  // What the file could not hold.
  if (host.empty() || host.starts_with('#') || host.find('\n') != std::string_view::npos) {
    return "a host of that name cannot be disabled";
  }
  Names names = names_;
  names.emplace(host);
  return Replace(std::move(names));
}

std::string DisabledHosts::Enable(std::string_view host) {
  Names names = names_;
  if (const auto found = names.find(host); found != names.end()) names.erase(found);
  return Replace(std::move(names));
}

std::string DisabledHosts::Replace(Names names) {
  std::string text(kHead);
  for (const std::string& name : names) text += name + "\n";
  const std::string temporary = file_ + ".new";
  std::string error = WriteWhole(temporary, text);
  if (error.empty() && std::rename(temporary.c_str(), file_.c_str()) != 0) {
    error = std::strerror(errno);
  }
  if (!error.empty()) {
    unlink(temporary.c_str());
    return file_ + ": cannot be written: " + error;
  }
  names_ = std::move(names);
  return "";
}

}  // namespace proxymux::proxy
