#include "tests/harness/network_room.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include "tests/harness/process.h"

namespace proxymux::harness {
namespace {

[[noreturn]] void Fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno) + " (run it as root)");
}

int CurrentNamespace() {
  const int fd = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  if (fd < 0) Fail("network namespace");
  return fd;
}

// This thread is in another namespace for as long as it lives.
class Visit {
 public:
  explicit Visit(int target) : home_(CurrentNamespace()) {
    if (::setns(target, CLONE_NEWNET) != 0) {
      ::close(home_);
      Fail("setns");
    }
  }
  ~Visit() {
    // It was possible a moment ago; a test that went on in the wrong network would tell lies.
    if (::setns(home_, CLONE_NEWNET) != 0) std::terminate();
    ::close(home_);
  }

 private:
  int home_;
};

// ip(8) runs where this thread is.
void Ip(const std::string& commands) {
  CommandOptions options;
  options.input = commands;
  RunOrThrow({"ip", "-batch", "-"}, options);
}

void EnterNew() {
  if (::unshare(CLONE_NEWNET) != 0) Fail("unshare");
  Ip("link set lo up\n");
}

int MakeNamespace() {
  const int home = CurrentNamespace();
  EnterNew();
  const int made = CurrentNamespace();
  if (::setns(home, CLONE_NEWNET) != 0) std::terminate();
  ::close(home);
  return made;
}

// A namespace of ours as ip(8), another process, can name it.
std::string PathOf(int fd) {
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd);
}

// A router that does not forward drops without a word.
void SetForwarding(int gate, bool on) {
  const Visit visit(gate);
  std::ofstream file("/proc/sys/net/ipv4/ip_forward");
  file << (on ? '1' : '0') << std::endl;
  if (!file) throw std::runtime_error("cannot set ip_forward");
}

}  // namespace

void EnterOwnNetwork() {
  static const bool entered = [] {
    EnterNew();
    // Not there before Linux 6.5: nothing to change then.
    std::ofstream("/proc/sys/net/ipv4/tcp_syn_linear_timeouts") << "0" << std::endl;
    return true;
  }();
  static_cast<void>(entered);
}

NetworkRoom::NetworkRoom(int number) : gate_(MakeNamespace()), room_(MakeNamespace()) {
  const std::string net = "10.231." + std::to_string(number) + ".";
  device_ = "room" + std::to_string(number);
  address_ = net + "6";
  Ip("link add " + device_ + " type veth peer name outside netns " + PathOf(gate_) +
     "\naddress add " + net + "1/30 dev " + device_ + "\nlink set " + device_ + " up\n");
  {
    const Visit visit(gate_);
    Ip("address add " + net + "2/30 dev outside\nlink set outside up\n" +
       "link add inside type veth peer name gate netns " + PathOf(room_) + "\naddress add " + net +
       "5/30 dev inside\nlink set inside up\n");
  }
  {
    const Visit visit(room_);
    Ip("address add " + net + "6/30 dev gate\nlink set gate up\nroute add default via " + net +
       "5\n");
  }
  Ip("route add " + net + "4/30 via " + net + "2\n");
  Open();
}

NetworkRoom::~NetworkRoom() {
  // At once, so that a room may follow with the same number; the namespaces end a little later.
  RunCommand({"ip", "link", "delete", device_});
  ::close(room_);
  ::close(gate_);
}

void NetworkRoom::Inside(const std::function<void()>& act) const {
  const Visit visit(room_);
  act();
}

void NetworkRoom::Shut() { SetForwarding(gate_, false); }
void NetworkRoom::Open() { SetForwarding(gate_, true); }

}  // namespace proxymux::harness
