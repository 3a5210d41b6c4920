#include "tests/harness/admin_client.h"

#include <cstdlib>
#include <sstream>
#include <stdexcept>

#include "tests/harness/socket.h"

namespace proxymux::harness {
namespace {

// RFC 9112, 7.1: a line with its size in hexadecimal before each chunk, 0 for the last.
std::string WithoutChunks(const std::string& body) {
  std::string whole;
  for (std::size_t at = 0; at < body.size();) {
    const std::size_t size = std::strtoul(body.c_str() + at, nullptr, 16);
    at = body.find("\r\n", at);
    if (size == 0 || at == std::string::npos) break;
    whole += body.substr(at + 2, size);
    at += size + 4;
  }
  return whole;
}

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
  if (answer.head.find("Transfer-Encoding: chunked") != std::string::npos) {
    answer.body = WithoutChunks(answer.body);
  }
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
