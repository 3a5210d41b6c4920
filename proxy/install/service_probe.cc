#include "proxy/install/service_probe.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <iterator>
#include <variant>
#include <vector>

#include "protocol/attribute_codec.h"
#include "protocol/reply_parser.h"
#include "protocol/request.h"
#include "protocol/request_encoder.h"
#include "proxy/process/master_arguments.h"

namespace proxymux::proxy {
namespace {

constexpr std::size_t kLongestReply = 65536;

// -1: nobody listens there.
int ConnectTo(const std::string& path, std::chrono::milliseconds limit) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return -1;
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const timeval time = {limit.count() / 1000, limit.count() % 1000 * 1000};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time));
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time));
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) return fd;
  close(fd);
  return -1;
}

// A list behind the greeting, which comes before anything is asked.
bool Receives(int fd) {
  std::string bytes;
  protocol::AttributeDecoder decoder(kLongestReply);
  std::array<char, 4096> buffer;
  for (;;) {
    const ssize_t count = recv(fd, buffer.data(), buffer.size(), 0);
    if (count <= 0) return false;
    bytes.append(buffer.data(), static_cast<std::size_t>(count));
    protocol::AttributeList list;
    std::size_t size = 0;
    auto result = decoder.Decode(bytes, &list, &size);
    if (result == protocol::AttributeDecoder::Result::kList && protocol::IsGreeting(list)) {
      bytes.erase(0, size);
      result = decoder.Decode(bytes, &list, &size);
    }
    if (result == protocol::AttributeDecoder::Result::kList) return true;
    if (result == protocol::AttributeDecoder::Result::kTooLong) return false;
  }
}

std::string ReadWhole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The words that a process was started with; empty: it is gone.
std::vector<std::string> CommandLine(const std::string& process) {
  std::vector<std::string> words;
  const std::string text = ReadWhole(process + "/cmdline");
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\0', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

}  // namespace

bool Answers(const std::string& socket, const std::string& table, protocol::Dialect dialect,
             std::chrono::milliseconds limit) {
  const int fd = ConnectTo(socket, limit);
  if (fd < 0) return false;
  std::string request;
  protocol::AppendRequest({dialect, 0, protocol::OpenRequest{table, 0}}, &request);
  const ssize_t sent = send(fd, request.data(), request.size(), MSG_NOSIGNAL);
  const bool answers = sent == static_cast<ssize_t>(request.size()) && Receives(fd);
  close(fd);
  return answers;
}

pid_t MasterProcess(const std::string& queue_directory) {
  pid_t master = 0;
  std::ifstream(queue_directory + "/pid/master.pid") >> master;
  return master;
}

std::set<std::string> ServicesThatRun(const std::string& program, pid_t master) {
  std::set<std::string> services;
  const std::string number = std::to_string(master);
  std::ifstream children("/proc/" + number + "/task/" + number + "/children");
  for (pid_t child = 0; children >> child;) {
    const auto words = CommandLine("/proc/" + std::to_string(child));
    if (words.empty()) continue;
    const auto arguments = ParseMasterArguments(words);
    const auto* good = std::get_if<MasterArguments>(&arguments);
    if (good != nullptr && good->process_name == program) services.insert(good->service_name);
  }
  return services;
}

}  // namespace proxymux::proxy
