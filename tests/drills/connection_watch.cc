#include "tests/drills/connection_watch.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <utility>

#include "tests/harness/deadline.h"

namespace proxymux::drills {
namespace {

// Local and remote address of each.
using Connections = std::set<std::string>;

// proc(5), /proc/net/tcp: a number, the local and the remote address as ADDRESS:PORT in
// hexadecimal, and the state.
Connections ReadConnections(const std::vector<int>& ports) {
  std::ifstream table("/proc/net/tcp");
  Connections found;
  std::string line;
  std::getline(table, line);  // the heading
  while (std::getline(table, line)) {
    std::istringstream fields(line);
    std::string number, local, remote, state;
    fields >> number >> local >> remote >> state;
    // Established, being set up, and closed by the server only (net/tcp_states.h).
    if (state != "01" && state != "02" && state != "08") continue;
    const std::size_t colon = remote.find(':');
    if (colon == std::string::npos) continue;
    const int port = std::stoi(remote.substr(colon + 1), nullptr, 16);
    if (std::find(ports.begin(), ports.end(), port) != ports.end()) {
      found.insert(local + " " + remote);
    }
  }
  return found;
}

}  // namespace

ConnectionWatch::ConnectionWatch(std::vector<int> ports)
    : ports_(std::move(ports)), thread_([this] { Watch(); }) {}

ConnectionWatch::~ConnectionWatch() {
  ends_ = true;
  thread_.join();
}

void ConnectionWatch::Watch() {
  Connections before;
  while (!ends_) {
    Connections now = ReadConnections(ports_);
    Connections both;
    std::set_intersection(before.begin(), before.end(), now.begin(), now.end(),
                          std::inserter(both, both.end()));
    most_ = std::max(most_.load(), static_cast<int>(both.size()));
    before = std::move(now);
    harness::Eventually([this] { return ends_.load(); }, harness::milliseconds(10));
  }
}

}  // namespace proxymux::drills
