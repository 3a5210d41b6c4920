// A network of a test's own, with servers whose packets can get lost on the way.
//
//   this process ── gate ── room
//
// A room is a network namespace with one address; a second one, the gate, passes packets between it
// and this process. A gate that is shut drops what comes from either side, silently, as a pulled
// cable or a firewall does: nobody is told "unreachable" or "refused".
//
// The namespaces have no names: they, their devices and addresses are gone with the last process
// that uses them, however that ended, and tests that run at the same time do not meet. Needs root
// and iproute2. Errors throw std::runtime_error.
#pragma once

#include <functional>
#include <string>

namespace proxymux::harness {

// Moves the calling thread, and what it starts from now on, into a network that has nothing but its
// own loopback. To be called before there are other threads. Pathname UNIX sockets are not
// concerned. Once is enough: further calls do nothing.
//
// A SYN that is lost is sent again after 1, 3, 7, ... seconds there, as by the kernel of Debian 12;
// since Linux 6.5 it would be each second at first.
void EnterOwnNetwork();

class NetworkRoom {
 public:
  // After EnterOwnNetwork(). `number` is from 1 to 254, and no other living room's.
  explicit NetworkRoom(int number);
  ~NetworkRoom();
  NetworkRoom(const NetworkRoom&) = delete;
  NetworkRoom& operator=(const NetworkRoom&) = delete;

  // What `act` starts lives in the room; it listens on address().
  void Inside(const std::function<void()>& act) const;
  std::string address() const { return address_; }

  void Shut();  // packets are dropped, both ways
  void Open();

 private:
  std::string address_;
  std::string device_;  // our end of the way to the gate
  int gate_ = -1;       // descriptors of the namespaces
  int room_ = -1;
};

}  // namespace proxymux::harness
