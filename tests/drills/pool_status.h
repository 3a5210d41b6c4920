// What the service says of its pool of connections, from its status document. Only proxymux has
// one. Throws std::runtime_error when nobody answers, or when there is not one pool.
#pragma once

#include <string>
#include <vector>

#include "tests/harness/postfix_instance.h"

namespace proxymux::drills {

struct HostState {
  std::string name;
  std::string state;
  int connections = 0;
};

struct PoolState {
  std::string state;  // "waiting" while lookups wait for an outage to pass
  int queued = 0;
  int oldest_wait_ms = 0;
  std::vector<HostState> hosts;

  // Every host is in that state.
  bool All(const std::string& state) const;
  std::string Text() const;  // for messages of failed expectations
};

PoolState ReadPoolState(const harness::PostfixInstance& postfix);

// Until lookups wait for an outage to pass; false when they do not in time.
bool AwaitWaiting(const harness::PostfixInstance& postfix);

}  // namespace proxymux::drills
