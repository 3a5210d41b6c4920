// Under a service manager, and across an upgrade: what the manager is told, and that the process
// knows that its program has been replaced.
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>

#include "tests/harness/admin_client.h"
#include "tests/harness/proxymap_client.h"
#include "tests/integration/mail_world.h"

namespace proxymux::integration {
namespace {

using harness::ChildProcess;
using harness::seconds;

// $NOTIFY_SOCKET, as systemd makes it.
class Manager {
 public:
  explicit Manager(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    if (::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
      ADD_FAILURE() << path << ": " << std::strerror(errno);
    }
    ::chmod(path.c_str(), 0777);  // the service is of another user by then
  }
  ~Manager() { ::close(socket_); }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  std::string NextState() const {
    pollfd wait{socket_, POLLIN, 0};
    char bytes[200];
    if (::poll(&wait, 1, 20000) != 1) return "nothing";
    const ssize_t length = ::recv(socket_, bytes, sizeof(bytes), 0);
    return length < 0 ? "nothing" : std::string(bytes, static_cast<std::size_t>(length));
  }

 private:
  int socket_;
};

class ServiceManager : public testing::Test {
 protected:
  ServiceManager() {
    ::chmod(directory_.c_str(), 0755);
    postfix_.WriteConfig("proxymux.yaml", "admin: {listen: " + admin_ + "}\n", 0644);
  }

  void Serve() {
    harness::CommandOptions options;
    options.environment["NOTIFY_SOCKET"] = notify_;
    child_ = std::make_unique<ChildProcess>(
        std::vector<std::string>{program_, "serve", "--config-directory",
                                 postfix_.config_directory(), "--listen", socket_},
        log_, options);
  }

  MailWorld& world_ = MailWorld::Instance();
  const std::string directory_ = world_.NewDirectory();
  harness::PostfixInstance postfix_{directory_,
                                    world_.Options(harness::Service::kInPlace)};  // never started
  const std::string program_ = postfix_.daemon_directory() + "/proxymux";
  const std::string socket_ = directory_ + "/sock";
  const std::string admin_ = postfix_.data_directory() + "/admin";
  const std::string notify_ = directory_ + "/notify";
  const std::string log_ = directory_ + "/output";
  const Manager manager_{notify_};
  std::unique_ptr<ChildProcess> child_;
};

TEST_F(ServiceManager, IsToldOfTheStartAReloadAndTheEnd) {
  Serve();
  ASSERT_EQ(manager_.NextState(), "READY=1") << harness::ReadFile(log_);
  // Clients are taken from that moment on.
  harness::ProxymapClient client(socket_);
  EXPECT_TRUE(client.Lookup(postfix_.Table("pgsql-aliases.cf"), harness::AliasOf(4))
                  .IsValue(harness::AddressOf(4)));
  child_->Signal(SIGHUP);
  EXPECT_EQ(manager_.NextState().find("RELOADING=1\nMONOTONIC_USEC="), 0U);
  EXPECT_EQ(manager_.NextState(), "READY=1");
  child_->Signal(SIGTERM);
  EXPECT_EQ(manager_.NextState(), "STOPPING=1");
  EXPECT_EQ(child_->Wait(seconds(20)), 0) << harness::ReadFile(log_);
}

TEST_F(ServiceManager, AnUpgradeOfTheProgramIsSaidAndServiceGoesOn) {
  Serve();
  ASSERT_EQ(manager_.NextState(), "READY=1") << harness::ReadFile(log_);
  const auto ctl = [&] {
    return harness::RunCommand({program_, "ctl", "status", "--socket", admin_}).out;
  };
  EXPECT_EQ(ctl().find("on disk"), std::string::npos) << ctl();
  std::filesystem::copy(program_, program_ + ".dpkg-new");
  std::filesystem::rename(program_ + ".dpkg-new", program_);
  EXPECT_NE(ctl().find("the program on disk is another one: restart it"), std::string::npos)
      << ctl();
  EXPECT_NE(harness::HttpGet(admin_, "/metrics").body.find("\nproxymux_program_replaced 1\n"),
            std::string::npos);
  harness::ProxymapClient client(socket_);
  EXPECT_TRUE(client.Lookup(postfix_.Table("pgsql-aliases.cf"), harness::AliasOf(5))
                  .IsValue(harness::AddressOf(5)));
}

}  // namespace
}  // namespace proxymux::integration
