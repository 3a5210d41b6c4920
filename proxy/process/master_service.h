// The descriptors that master(8) hands to a daemon, and the one message it wants back.
//
// 3 and 4 are the mail flow pipe (not used here), 5 is the status socket, 6 and up are the
// listening sockets, non-blocking. None is close-on-exec; AdoptMasterDescriptors() changes that and
// must be the first thing that is done, before any program is run. The descriptors stay owned by
// the process: nobody closes 5 before the process ends, since master reads its EOF as our end. EOF
// *from* master on descriptor 5 means `postfix reload` or that master died; watching for it is the
// event loop's work.
#pragma once

#include <sys/types.h>

#include <string>
#include <variant>
#include <vector>

namespace proxymux::proxy {

struct DescriptorError {
  std::string text;
};

struct MasterDescriptors {
  static constexpr int kFlowRead = 3;
  static constexpr int kFlowWrite = 4;
  static constexpr int kStatus = 5;
  static constexpr int kFirstListener = 6;

  int status = kStatus;
  std::vector<int> listeners;
};

// Sets close-on-exec on all of them, and non-blocking on the listeners and the status socket. An
// error when one that must be there is not open, or is not a listening socket: then we were not
// started by master.
std::variant<MasterDescriptors, DescriptorError> AdoptMasterDescriptors(int socket_count);

enum class StatusWrite {
  kSent,
  kWouldBlock,  // master did not read; try again later
  kMasterGone,  // EPIPE and the like: nobody to tell
  kFailed,      // see errno
};

// Tells master about this process, as three native ints {pid, generation, available}. Never blocks,
// raises no SIGPIPE.
class MasterStatus {
 public:
  MasterStatus(int status_fd, pid_t pid, unsigned generation)
      : fd_(status_fd), pid_(pid), generation_(generation) {}

  // "Busy, available again", in one write so that never only the first half arrives. Once master
  // has seen this, an abnormal end of the process no longer counts as a failed start (which would
  // stop the service for service_throttle_time). A second call after kSent does nothing and returns
  // kSent.
  StatusWrite ReportServed();
  bool served_reported() const { return reported_; }

 private:
  int fd_;
  pid_t pid_;
  unsigned generation_;
  bool reported_ = false;
};

}  // namespace proxymux::proxy
