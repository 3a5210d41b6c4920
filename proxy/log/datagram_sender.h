// One end of a UNIX datagram socket that never blocks: for lines to syslog and postlogd(8).
//
// An unconnected socket: naming the receiver each time survives its restart. Errors of the sending
// are told as what they mean for the line; that there is no socket at all counts as nobody there.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <string>
#include <string_view>

namespace proxymux::proxy {

class DatagramSender {
 public:
  enum class Delivery {
    kSent,
    kFull,    // the receiver is slow
    kNobody,  // there is none
  };

  // Relative to the working directory of the moment when something is sent.
  explicit DatagramSender(const std::string& path);
  ~DatagramSender();
  DatagramSender(const DatagramSender&) = delete;
  DatagramSender& operator=(const DatagramSender&) = delete;

  Delivery Send(std::string_view line);

 private:
  sockaddr_un address_{};
  int fd_ = -1;
};

}  // namespace proxymux::proxy
