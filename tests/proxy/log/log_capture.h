// A real Logger whose lines a test can read: it writes to a syslog socket of the test's own.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "proxy/log/log.h"
#include "tests/harness/socket.h"

namespace proxymux::proxy {

class LogCapture {
 public:
  LogCapture()
      : directory_(MakeDirectory()), fd_(harness::BindDatagrams(Path())), logger_(Target()) {}
  ~LogCapture() {
    close(fd_);
    unlink(Path().c_str());
    rmdir(directory_.c_str());
  }
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;

  Logger* logger() { return &logger_; }

  // The lines since the last call, in order. A line is there as soon as Log() has returned.
  std::vector<std::string> Take() {
    std::vector<std::string> lines;
    std::string buffer(65536, '\0');
    for (ssize_t size; (size = recv(fd_, buffer.data(), buffer.size(), 0)) > 0;) {
      const std::string line = buffer.substr(0, static_cast<std::size_t>(size));
      const std::size_t text = line.find("]: ");
      lines.push_back(text == std::string::npos ? line : line.substr(text + 3));
    }
    return lines;
  }
  // The same as one text, a line each.
  std::string TakeText() {
    std::string text;
    for (const std::string& line : Take()) text += line + "\n";
    return text;
  }

 private:
  static std::string MakeDirectory() {
    char name[] = "/tmp/proxymux-lines-XXXXXX";
    EXPECT_NE(mkdtemp(name), nullptr) << std::strerror(errno);
    return name;
  }
  std::string Path() const { return directory_ + "/log"; }
  LogTarget Target() const {
    LogTarget target;
    target.sink = LogSink::kSyslog;
    target.syslog_socket = Path();
    return target;
  }

  const std::string directory_;
  const int fd_;
  Logger logger_;
};

}  // namespace proxymux::proxy
