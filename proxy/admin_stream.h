// One accepted connection of the admin server as httplib sees it: reads and writes end when the
// deadline of the whole exchange has passed, when `stop_fd` becomes readable, or when the peer has
// sent more than a request may have. Does not own the descriptors. Blocking, for the admin server's
// own threads.
#pragma once

#include <httplib.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <string>

namespace proxymux::proxy {

class AdminStream : public httplib::Stream {
 public:
  using Clock = std::chrono::steady_clock;

  AdminStream(int fd, int stop_fd, Clock::time_point deadline, std::size_t max_request)
      : fd_(fd), stop_fd_(stop_fd), deadline_(deadline), may_read_(max_request) {}

  bool is_readable() const override;
  bool is_writable() const override;
  ssize_t read(char* data, std::size_t size) override;
  ssize_t write(const char* data, std::size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override { return fd_; }

 private:
  bool WaitFor(short events) const;

  int fd_;
  int stop_fd_;
  Clock::time_point deadline_;
  std::size_t may_read_;
  std::array<char, 4096> buffer_;  // httplib reads headers byte by byte
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace proxymux::proxy
