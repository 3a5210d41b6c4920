#include "tests/drills/network_world.h"

namespace proxymux::drills {
namespace {

harness::PostgresCluster::Options In(const harness::NetworkRoom& room) {
  harness::PostgresCluster::Options options;
  options.address = room.address();
  return options;
}

}  // namespace

NetworkWorld::Mirror::Mirror(const std::string& directory, int number)
    : room_(number), cluster_(directory, In(room_)) {
  room_.Inside([this] { cluster_.Start(); });
  harness::CreateMailDatabase(cluster_);
}

NetworkWorld& NetworkWorld::Instance() {
  harness::EnterOwnNetwork();
  static NetworkWorld world;
  return world;
}

NetworkWorld::NetworkWorld() : first_(directory_ / "pg1", 1), second_(directory_ / "pg2", 2) {}

void NetworkWorld::Mend() {
  first_.room().Open();
  second_.room().Open();
}

}  // namespace proxymux::drills
