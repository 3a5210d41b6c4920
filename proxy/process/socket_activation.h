// Listening sockets from a service manager, by the protocol of sd_listen_fds(3): LISTEN_FDS
// descriptors from number 3 on, meant for the process LISTEN_PID. For the standalone mode.
#pragma once

#include <sys/types.h>

#include <string>
#include <variant>
#include <vector>

namespace proxymux::proxy {

struct ActivationError {
  std::string text;
};

// How many descriptors were passed to the process `self`. The values of LISTEN_PID and LISTEN_FDS,
// nullptr when not set. 0 when they are not set or meant for another process.
std::variant<int, ActivationError> ParseListenFds(const char* listen_pid, const char* listen_fds,
                                                  pid_t self);

// Takes them over: close-on-exec and non-blocking, each checked to be a listening stream socket;
// the variables are removed from the environment so that no child believes they are its own. Empty
// when nothing was passed.
std::variant<std::vector<int>, ActivationError> AdoptActivatedSockets();

}  // namespace proxymux::proxy
