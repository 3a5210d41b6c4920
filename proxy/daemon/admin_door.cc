#include "proxy/daemon/admin_door.h"

#include <optional>
#include <utility>
#include <variant>

#include "proxy/admin/admin_address.h"

namespace proxymux::proxy {

AdminDoor::AdminDoor(UvEventLoop* loop, const DaemonSettings& settings,
                     std::function<ServiceStatus()> snapshot, Logger* logger)
    : snapshots_(loop->uv(), std::move(snapshot)) {
  const std::string& service = settings.options().service_name;
  const auto address =
      ParseAdminAddress(settings.server().admin_listen, settings.postfix().data_directory, service);
  if (const auto* good = std::get_if<AdminAddress>(&address)) {
    server_ = std::make_unique<AdminServer>(
        *good, service, [this](std::chrono::milliseconds limit) { return snapshots_.Ask(limit); },
        logger);
    server_->Start();
  } else {
    fault_ = "admin.listen: " + std::get<AdminAddressError>(address).text;
    logger->Warning(fault_);
  }
}

AdminDoor::~AdminDoor() {
  // Whoever asks at this moment must not keep the server's thread waiting.
  snapshots_.Close();
  server_.reset();
}

std::string AdminDoor::Fault() const { return server_ == nullptr ? fault_ : server_->Problem(); }

}  // namespace proxymux::proxy
