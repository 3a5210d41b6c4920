#include "tests/harness/host_status.h"

#include <nlohmann/json.hpp>

#include "tests/harness/admin_client.h"

namespace proxymux::harness {

HostStatus HostStatusOf(const PostfixInstance& postfix, const std::string& host) {
  const HttpAnswer answer = HttpGet(postfix.AdminSocket(), "/status.json");
  if (answer.status != 200) return {};
  const auto json = nlohmann::json::parse(answer.body);
  for (const auto& pool : json["pools"]) {
    for (const auto& row : pool["hosts"]) {
      if (row["name"] != host) continue;
      HostStatus status;
      status.state = row["state"];
      status.reason = row["reason"];
      status.usable = row["usable"];
      status.role = row["role"];
      status.too_far_behind = row["too_far_behind"];
      status.connections = row["connections"];
      status.connects = row["connects"];
      return status;
    }
  }
  return {};
}

}  // namespace proxymux::harness
