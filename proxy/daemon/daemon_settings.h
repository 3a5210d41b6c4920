// What the daemon goes by: how it was started, main.cf, proxymux.yaml as it counts now, and what
// follows from them for clients and relays. main.cf is read once, at the start; Use() puts another
// proxymux.yaml in force.
//
// Logs nothing: what is wrong with the files is the caller's to tell.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "config/values/server_config.h"
#include "proxy/clients/uv_clients.h"
#include "proxy/daemon/daemon_options.h"
#include "proxy/log/log.h"
#include "proxy/process/postfix_settings.h"
#include "proxy/relay/uv_relay.h"
#include "proxy/requests/slow_lookups.h"
#include "proxy/tables/service_config.h"

namespace proxymux::proxy {

class DaemonSettings {
 public:
  explicit DaemonSettings(DaemonOptions options) : options_(std::move(options)) {}

  // main.cf. Error text when the service cannot go on, or empty.
  std::string ReadPostfix();
  // proxymux.yaml as it is now.
  std::shared_ptr<const ServiceConfig> ReadServiceConfig() const;
  void Use(std::shared_ptr<const ServiceConfig> config) { config_ = std::move(config); }

  // How many clients there are descriptors for.
  void LimitClients(std::size_t most) { most_clients_ = most; }
  // Once there is a working directory: whether somebody listens there may have to be tried.
  void ChooseRelay();

  const DaemonOptions& options() const { return options_; }
  SocketName& socket_name() { return options_.socket_name; }
  const PostfixSettings& postfix() const { return postfix_; }
  const std::shared_ptr<const ServiceConfig>& config() const { return config_; }
  const config::ServerConfig& server() const { return config_->server(); }

  LogSeverity LogThreshold() const;
  LogTarget Log() const;
  UvClients::Limits ClientLimits() const;
  SlowRule ForSlowLookups() const;
  StockMode relay_mode() const { return relay_mode_; }
  RelayOptions ForRelay() const;
  RelayOptions ForDomainRelay(const std::string& table) const;

 private:
  DaemonOptions options_;
  PostfixSettings postfix_;
  std::shared_ptr<const ServiceConfig> config_;
  StockMode relay_mode_ = StockMode::kService;
  std::size_t most_clients_ = 0;
};

}  // namespace proxymux::proxy
