// What a service manager is told of the state of the service, by the protocol of sd_notify(3): one
// datagram to $NOTIFY_SOCKET for each change. For the standalone mode; master(8) asks for none.
#pragma once

#include <chrono>
#include <string>
#include <utility>

namespace proxymux::proxy {

class ServiceNotify {
 public:
  // Takes NOTIFY_SOCKET out of the environment, so that no child speaks in our name.
  static ServiceNotify FromEnvironment();

  // A path, or `@` and a name in the abstract name space; empty: nobody is told anything.
  explicit ServiceNotify(std::string socket) : socket_(std::move(socket)) {}

  // Clients are taken: at the start, and after Reloading().
  void Ready() const;
  // `now` by the monotonic clock, which tells the manager the answer to its signal from an older
  // one (Type=notify-reload).
  void Reloading(std::chrono::steady_clock::time_point now) const;
  void Stopping() const;

 private:
  // A manager that does not listen has missed it: the service goes on.
  void Tell(const std::string& state) const;

  std::string socket_;
};

}  // namespace proxymux::proxy
