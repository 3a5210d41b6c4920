// One stock proxymap that we have started: its status socket, its end.
//
// It gets what master(8) would give it: /dev/null as 0, 1 and 2, the mail flow pipe as 3 and 4, the
// status socket as 5, a listening socket as 6, the queue directory to work in. It is in a session
// of its own, so that the SIGTERM that `postfix stop` sends to our process group does not cut short
// what it is answering; we end it ourselves. When we die, however that happens, the status socket
// ends and stock exits as soon as it is idle.
//
// The owner keeps the object until on_end has run. Destroyed before, it kills the process; the loop
// then reaps it, if it runs on.
#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <string>

#include "proxy/relay/stock_command.h"

namespace proxymux::proxy {

class UvStockProcess {
 public:
  // `on_end` says in words how it ended, for instance "exit status 1"; not called from within
  // Start().
  explicit UvStockProcess(uv_loop_t* loop, std::function<void(const std::string& how)> on_end);
  ~UvStockProcess();
  UvStockProcess(const UvStockProcess&) = delete;
  UvStockProcess& operator=(const UvStockProcess&) = delete;

  // 0 or libuv's error; *error then says what could not be done.
  int Start(const StockLaunch& launch, int listening_fd, std::string* error);

  void AskToEnd();  // closes the status socket
  void Signal(int number);
  int pid() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace proxymux::proxy
