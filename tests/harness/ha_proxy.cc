#include "tests/harness/ha_proxy.h"

#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <stdexcept>

#include "tests/harness/postgres_user.h"
#include "tests/harness/socket.h"
#include "tests/harness/temp_directory.h"

namespace proxymux::harness {
namespace {

constexpr char kProgram[] = "/usr/sbin/haproxy";

}  // namespace

HaProxy::HaProxy(std::string directory, const Options& options)
    : directory_(std::move(directory)), port_(FreePort()), servers_(options.servers) {
  if (!std::filesystem::exists(kProgram)) {
    throw std::runtime_error("no HAProxy: run scripts/setup");
  }
  MakePostgresDirectory(directory_);
  std::ostringstream text;
  text << "global\n"
       << "  stats socket " << directory_ << "/socket level admin\n"
       << "defaults\n"
       << "  mode tcp\n"
       << "  retries 2\n"
       << "  timeout connect 4s\n"
       << "  timeout client 30m\n"
       << "  timeout server 30m\n"
       << "  timeout check 5s\n"
       << "listen mail\n"
       << "  bind 127.0.0.1:" << port_ << '\n';
  for (const std::string& line : options.check) text << "  " << line << '\n';
  text << "  default-server inter " << options.interval
       << " fall 3 rise 2 on-marked-down shutdown-sessions\n";
  for (const Server& server : servers_) {
    text << "  server " << server.name << ' ' << server.address << " check";
    if (server.check_port != 0) text << " port " << server.check_port;
    if (server.backup) text << " backup";
    text << '\n';
  }
  WriteFile(directory_ + "/haproxy.cfg", text.str());
}

HaProxy::~HaProxy() {
  if (Running()) Kill();
}

void HaProxy::Start() {
  if (Running()) return;
  std::filesystem::remove(directory_ + "/socket");  // of the one before
  process_ = std::make_unique<ChildProcess>(
      std::vector<std::string>{kProgram, "-db", "-f", directory_ + "/haproxy.cfg"},
      directory_ + "/log", AsPostgres(directory_));
  const auto checked = [&] {
    if (!process_->Running()) return true;
    if (!std::filesystem::exists(directory_ + "/socket")) return false;
    return std::ranges::all_of(servers_, [&](const Server& server) {
      const std::string state = StateOf(server.name);
      return state == "UP" || state == "DOWN" || state == "no check";
    });
  };
  if (!Eventually(checked) || !process_->Running()) {
    throw std::runtime_error("HAProxy does not start:\n" + ReadFile(directory_ + "/log"));
  }
}

void HaProxy::Stop() {
  if (!process_) return;
  process_->Signal(SIGTERM);
  if (!process_->Wait(seconds(20))) throw std::runtime_error("HAProxy does not stop");
}

void HaProxy::Kill() {
  if (!process_) return;
  process_->Signal(SIGKILL);
  process_->Wait();
}

std::string HaProxy::Command(const std::string& text) const {
  Socket socket = Socket::ConnectUnix(directory_ + "/socket");
  std::string said;
  if (!socket.Send(text + "\n")) throw std::runtime_error("HAProxy takes no command");
  while (socket.Receive(said) == Socket::Received::kBytes) {
  }
  return said;
}

// The columns of "show stat" that matter: the second is the server, the eighteenth its state.
std::string HaProxy::StateOf(const std::string& server) const {
  std::istringstream lines(Command("show stat"));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string field;
    for (int number = 1; std::getline(fields, field, ','); ++number) {
      if (number == 2 && field != server) break;
      if (number == 18) return field;
    }
  }
  return "";
}

}  // namespace proxymux::harness
