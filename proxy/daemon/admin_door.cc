#include "proxy/daemon/admin_door.h"

#include <chrono>
#include <optional>
#include <utility>
#include <variant>

#include "proxy/admin/admin_address.h"

namespace proxymux::proxy {

AdminDoor::AdminDoor(UvEventLoop* loop, const DaemonSettings& settings, Functions functions,
                     Logger* logger)
    : functions_(std::move(functions)), calls_(loop->uv()) {
  const std::string& service = settings.options().service_name;
  const auto address =
      ParseAdminAddress(settings.server().admin_listen, settings.postfix().data_directory, service);
  if (const auto* good = std::get_if<AdminAddress>(&address)) {
    server_ = std::make_unique<AdminServer>(*good, service, ForServer(), logger);
    server_->Start();
  } else {
    fault_ = "admin.listen: " + std::get<AdminAddressError>(address).text;
    logger->Warning(fault_);
  }
}

AdminDoor::~AdminDoor() {
  // Whoever asks at this moment must not keep the server's thread waiting.
  calls_.Close();
  server_.reset();
}

AdminServer::Functions AdminDoor::ForServer() {
  using std::chrono::milliseconds;
  return {[this](milliseconds limit) {
            std::optional<ServiceStatus> status;
            calls_.Do([&] { status = functions_.snapshot(); }, limit);
            return status;
          },
          [this](const ControlRequest& request, milliseconds limit) {
            std::optional<ControlReply> reply;
            calls_.Do([&] { reply = functions_.control(request); }, limit);
            return reply;
          }};
}

std::string AdminDoor::Fault() const { return server_ == nullptr ? fault_ : server_->Problem(); }

}  // namespace proxymux::proxy
