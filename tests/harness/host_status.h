// What the service says of one database host on its admin socket.
#pragma once

#include <string>

#include "tests/harness/postfix_instance.h"

namespace proxymux::harness {

struct HostStatus {
  std::string state;  // up, down, ...; empty when the service does not answer or knows no such host
  std::string reason;
  bool usable = false;
  std::string role;  // primary, standby, or empty
  bool too_far_behind = false;
  int connections = 0;
  int connects = 0;
};

// `host` is written as the service shows it: 127.0.0.1:5432, /directory.
HostStatus HostStatusOf(const PostfixInstance& postfix, const std::string& host);

}  // namespace proxymux::harness
