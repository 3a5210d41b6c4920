// Accepts clients on a listening socket that master(8), a service manager or we ourselves opened.
//
// Another process may win the race for a connection (EAGAIN): that is normal. When descriptors run
// out accepting pauses for a moment and the clients wait in the listen queue, which costs them
// nothing but time.
#pragma once

#include <uv.h>

#include <functional>
#include <string>

#include "proxy/uv/uv_handles.h"

namespace proxymux::proxy {

class UvListener {
 public:
  struct Callbacks {
    std::function<void(int fd)>
        on_accept;  // the descriptor is the callee's: non-blocking, close-on-exec
    std::function<void()> on_drained;  // accepted at least one, and none is waiting now
    std::function<void(const std::string& reason)> on_pause;
  };

  // Takes `fd` over: it is closed with the listener.
  UvListener(uv_loop_t* loop, int fd, Callbacks callbacks);
  ~UvListener();
  UvListener(const UvListener&) = delete;
  UvListener& operator=(const UvListener&) = delete;

  // Error text, or empty.
  std::string Start();
  // Stops and starts accepting, as when max_clients is reached and when a client has left.
  void Pause();
  void Resume();

 private:
  void Accept();

  uv_loop_t* const loop_;
  const int fd_;
  Callbacks callbacks_;
  UvPoll poll_;
  UvTimer retry_;
  bool paused_ = false;
};

// A UNIX socket of our own for the standalone mode: the descriptor, or -1 with an error text. A
// file of that name which no process listens on is replaced; one that is in use is an error. Mode
// 0660: its owner and group may connect. Only while the process has no other threads: the umask is
// changed for a moment.
int ListenUnix(const std::string& path, std::string* error);

}  // namespace proxymux::proxy
