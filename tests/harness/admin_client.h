// One HTTP GET over a UNIX socket, as curl --unix-socket does it.
#pragma once

#include <string>

namespace proxymux::harness {

struct HttpAnswer {
  int status = 0;  // 0: nobody answered
  std::string head;
  std::string body;
};

HttpAnswer HttpGet(const std::string& socket_path, const std::string& target);
HttpAnswer HttpGet(int tcp_port, const std::string& target);

// The value of a metric, labels included in the name as they are written; -1 when it is not there.
double MetricValue(const std::string& metrics, const std::string& name);
// The same, of what the service says now.
double MetricOf(const std::string& admin_socket, const std::string& name);

}  // namespace proxymux::harness
