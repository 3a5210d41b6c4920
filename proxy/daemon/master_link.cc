#include "proxy/daemon/master_link.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace proxymux::proxy {

MasterLink::MasterLink(int status_fd, unsigned generation, MessageLog* log)
    : fd_(status_fd), log_(log) {
  if (fd_ >= 0) status_.emplace(fd_, getpid(), generation);
}

void MasterLink::ReportServed() {
  if (!status_.has_value() || status_->served_reported()) return;
  switch (status_->ReportServed()) {
    case StatusWrite::kSent:
    case StatusWrite::kMasterGone:
      return;
    case StatusWrite::kWouldBlock:  // again with the next clients, or at the next housekeeping
      return;
    case StatusWrite::kFailed:
      log_->LimitedWarning("master status", std::string("cannot tell master of our status: ") +
                                                std::strerror(errno));
      return;
  }
}

void MasterLink::Watch(UvEventLoop* loop, std::function<void()> on_end) {
  if (fd_ < 0) return;
  on_end_ = std::move(on_end);
  const int result = poll_.Open(loop->uv(), fd_, [this](int, int) { OnReadable(); });
  if (result == 0) {
    poll_.SetEvents(UV_READABLE);
  } else {
    log_->Warning(std::string("cannot watch the status socket: ") + uv_strerror(result));
  }
}

void MasterLink::OnReadable() {
  char byte;
  const ssize_t size = read(fd_, &byte, 1);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size > 0) return;  // master says nothing on this socket
  poll_.Close();
  on_end_();
}

}  // namespace proxymux::proxy
