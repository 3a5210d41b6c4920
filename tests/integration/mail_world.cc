#include "tests/integration/mail_world.h"

namespace proxymux::integration {

MailWorld& MailWorld::Instance() {
  static MailWorld world;
  return world;
}

MailWorld::MailWorld() : first_(directory_ / "pg1"), second_(directory_ / "pg2") {
  for (auto* cluster : {&first_, &second_}) {
    cluster->Start();
    harness::CreateMailDatabase(*cluster, kUsers);
  }
}

void MailWorld::Mend() {
  for (auto* cluster : {&first_, &second_}) {
    cluster->Thaw();
    if (!cluster->Running()) cluster->Start();
  }
}

int MailWorld::Connections() {
  int count = 0;
  for (auto* cluster : {&first_, &second_}) {
    if (cluster->Running()) count += cluster->ConnectionCount(harness::kMailRole);
  }
  return count;
}

std::string MailWorld::NewDirectory() { return directory_ / std::to_string(++directories_); }

harness::PostfixInstance::Options MailWorld::Options(harness::Service service) {
  harness::PostfixInstance::Options options;
  options.service = service;
  options.tables = harness::MailTables(Hosts());
  if (service != harness::Service::kStock) options.proxymux = harness::ProxymuxBinary();
  return options;
}

}  // namespace proxymux::integration
