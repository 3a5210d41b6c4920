// How the process was started: by master(8), or standalone.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "proxy/process/socket_name.h"
#include "proxy/status/status.h"

namespace proxymux::proxy {

struct DaemonOptions {
  ServiceMode mode = ServiceMode::kStandalone;
  std::string process_name = "proxymux";
  std::string service_name = "proxymux";
  std::string config_directory;
  std::vector<std::pair<std::string, std::string>> overrides;  // -o
  std::vector<int> listeners;                                  // taken over
  SocketName socket_name;  // that was made for one of them: removed when no more clients are taken
  int client = -1;         // -S: serve this one client and end
  int status_fd = -1;      // of master: 5
  unsigned generation = 0;
  bool drop_privileges = false;
  bool log_to_stderr = false;
  bool one_process = true;  // master's limit for the service
  int verbosity = 0;
};

}  // namespace proxymux::proxy
