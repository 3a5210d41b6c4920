// What reaches a service manager's socket (sd_notify(3)).
#include "proxy/process/service_notify.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tests/harness/temp_directory.h"

namespace proxymux::proxy {
namespace {

// The manager's end.
class Manager {
 public:
  explicit Manager(const std::string& name) : socket_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    const bool abstract = name[0] == '@';
    if (abstract) address.sun_path[0] = '\0';
    const std::size_t length = offsetof(sockaddr_un, sun_path) + name.size() + (abstract ? 0 : 1);
    bound_ =
        ::bind(socket_, reinterpret_cast<sockaddr*>(&address), static_cast<socklen_t>(length)) == 0;
  }
  ~Manager() { ::close(socket_); }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  bool bound() const { return bound_; }
  // Datagrams on UNIX sockets are there when sendto(2) returns. Empty: there is none.
  std::string Told() const {
    char bytes[200];
    const ssize_t length = ::recv(socket_, bytes, sizeof(bytes), MSG_DONTWAIT);
    return length < 0 ? "" : std::string(bytes, static_cast<std::size_t>(length));
  }

 private:
  int socket_;
  bool bound_ = false;
};

TEST(ServiceNotify, EachChangeIsOneDatagram) {
  const harness::TempDirectory directory;
  const std::string abstract = "@proxymux-notify-" + std::to_string(::getpid());
  for (const std::string& name : {directory / "notify", abstract}) {
    const Manager manager(name);
    ASSERT_TRUE(manager.bound()) << name;
    const ServiceNotify notify(name);
    notify.Ready();
    EXPECT_EQ(manager.Told(), "READY=1") << name;
    notify.Reloading(std::chrono::steady_clock::time_point(std::chrono::milliseconds(1234)));
    EXPECT_EQ(manager.Told(), "RELOADING=1\nMONOTONIC_USEC=1234000") << name;
    notify.Stopping();
    EXPECT_EQ(manager.Told(), "STOPPING=1") << name;
    EXPECT_EQ(manager.Told(), "") << name;
  }
}

TEST(ServiceNotify, TheEnvironmentIsReadOnceAndLeftWithoutIt) {
  const harness::TempDirectory directory;
  const std::string name = directory / "notify";
  const Manager manager(name);
  ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  const ServiceNotify notify = ServiceNotify::FromEnvironment();
  EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr);
  notify.Ready();
  EXPECT_EQ(manager.Told(), "READY=1");
  ServiceNotify::FromEnvironment().Ready();  // nobody to tell
  EXPECT_EQ(manager.Told(), "");
}

TEST(ServiceNotify, AManagerThatCannotBeToldIsNoMatter) {
  ServiceNotify("/no/such/socket").Ready();
  ServiceNotify(std::string(200, 'x')).Stopping();
}

}  // namespace
}  // namespace proxymux::proxy
