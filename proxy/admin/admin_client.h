// One HTTP request to the admin listener of a running proxymux, blocking and bounded: for `proxymux
// ctl`.
#pragma once

#include <chrono>
#include <string>
#include <variant>

#include "proxy/admin/admin_address.h"
#include "proxy/admin/control.h"

namespace proxymux::proxy {

struct AdminReply {
  int status = 0;       // of HTTP
  std::string service;  // the proxymux service that answered; empty: another program
  std::string body;
};

struct AdminClientError {
  std::string text;
  bool nobody_listens = false;  // there is no such socket, or nobody behind it
};

// Errors are complete sentences for a terminal: nobody listens, no permission, no answer in time.
std::variant<AdminReply, AdminClientError> AdminGet(
    const AdminAddress& address, const std::string& path,
    std::chrono::milliseconds limit = std::chrono::seconds(10));
// Has something done. It may take as long as reading all table files.
std::variant<AdminReply, AdminClientError> AdminPost(
    const AdminAddress& address, const ControlRequest& request,
    std::chrono::milliseconds limit = std::chrono::seconds(60));

}  // namespace proxymux::proxy
