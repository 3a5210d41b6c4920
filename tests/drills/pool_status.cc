#include "tests/drills/pool_status.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "tests/harness/admin_client.h"
#include "tests/harness/deadline.h"

namespace proxymux::drills {

bool PoolState::All(const std::string& state) const {
  return std::all_of(hosts.begin(), hosts.end(),
                     [&](const HostState& host) { return host.state == state; });
}

std::string PoolState::Text() const {
  std::string text = state + ", queued " + std::to_string(queued);
  for (const HostState& host : hosts) {
    text += ", " + host.name + " " + host.state + " " + std::to_string(host.connections);
  }
  return text;
}

PoolState ReadPoolState(const harness::PostfixInstance& postfix) {
  const harness::HttpAnswer answer = harness::HttpGet(postfix.AdminSocket(), "/status.json");
  const auto document = nlohmann::json::parse(answer.body, nullptr, /*allow_exceptions=*/false);
  if (answer.status != 200 || document.is_discarded() || document["pools"].size() != 1) {
    throw std::runtime_error("no status of one pool: " + answer.body);
  }
  const nlohmann::json& pool = document["pools"][0];
  PoolState state;
  state.state = pool["state"];
  state.queued = pool["queue_length"];
  state.oldest_wait_ms = pool["oldest_wait_ms"];
  for (const nlohmann::json& host : pool["hosts"]) {
    state.hosts.push_back({host["name"], host["state"], host["connections"]});
  }
  return state;
}

bool AwaitWaiting(const harness::PostfixInstance& postfix) {
  return harness::Eventually([&] { return ReadPoolState(postfix).state == "waiting"; });
}

}  // namespace proxymux::drills
