#include "tests/harness/admin_client.h"

#include <cstdlib>
#include <sstream>
#include <stdexcept>

#include "tests/harness/socket.h"

namespace proxymux::harness {
namespace {

HttpAnswer Get(Socket socket, const std::string& target) {
  HttpAnswer answer;
  std::string bytes;
  if (!socket.Send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")) {
    return answer;
  }
  while (socket.Receive(bytes) == Socket::Received::kBytes) {
  }
  const auto end = bytes.find("\r\n\r\n");
  if (end == std::string::npos || !bytes.starts_with("HTTP/1.")) return answer;
  answer.status = std::atoi(bytes.c_str() + 9);
  answer.head = bytes.substr(0, end);
  answer.body = bytes.substr(end + 4);
  return answer;
}

}  // namespace

HttpAnswer HttpGet(const std::string& socket_path, const std::string& target) {
  try {
    return Get(Socket::ConnectUnix(socket_path), target);
  } catch (const std::runtime_error&) {
    return {};
  }
}

HttpAnswer HttpGet(int tcp_port, const std::string& target) {
  try {
    return Get(Socket::ConnectTcp(tcp_port), target);
  } catch (const std::runtime_error&) {
    return {};
  }
}

double MetricValue(const std::string& metrics, const std::string& name) {
  std::istringstream lines(metrics);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name + " ")) return std::atof(line.c_str() + name.size());
  }
  return -1;
}

double MetricOf(const std::string& admin_socket, const std::string& name) {
  return MetricValue(HttpGet(admin_socket, "/metrics").body, name);
}

}  // namespace proxymux::harness
