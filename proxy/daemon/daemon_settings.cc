#include "proxy/daemon/daemon_settings.h"

#include <algorithm>
#include <utility>

#include "config/yaml/yaml_loader.h"
#include "proxy/daemon/relay_setup.h"

namespace proxymux::proxy {
namespace {

LogSeverity ThresholdOf(config::LogLevel level) {
  switch (level) {
    case config::LogLevel::kDebug:
      return LogSeverity::kDebug;
    case config::LogLevel::kInfo:
      return LogSeverity::kInfo;
    case config::LogLevel::kWarning:
      return LogSeverity::kWarning;
    case config::LogLevel::kError:
      return LogSeverity::kError;
  }
  return LogSeverity::kInfo;
}

}  // namespace

std::string DaemonSettings::ReadPostfix() {
  PostfixSettingsResult read = ReadPostfixSettings(options_.config_directory, options_.overrides);
  if (!read.settings.has_value()) return read.error;
  postfix_ = std::move(*read.settings);
  return {};
}

std::shared_ptr<const ServiceConfig> DaemonSettings::ReadServiceConfig() const {
  return std::make_shared<ServiceConfig>(
      config::LoadConfigFile(options_.config_directory + "/proxymux.yaml"));
}

void DaemonSettings::ChooseRelay() { relay_mode_ = ChooseRelayMode(options_, server()); }

LogSeverity DaemonSettings::LogThreshold() const {
  return options_.verbosity > 0 ? LogSeverity::kDebug : ThresholdOf(server().log_level);
}

SlowRule DaemonSettings::ForSlowLookups() const {
  return {server().log_slow, server().log_slow_times, server().log_keys};
}

LogTarget DaemonSettings::Log() const {
  LogTarget target;
  target.tag = postfix_.syslog_name + "/" + options_.process_name;
  if (const auto facility = SyslogFacility(postfix_.syslog_facility)) target.facility = *facility;
  target.host = FirstLabel(postfix_.myhostname);
  if (options_.log_to_stderr) {
    target.sink = LogSink::kStderr;
  } else if (!postfix_.maillog_file.empty()) {
    target.sink = LogSink::kPostlog;
    target.postlog_socket = "public/" + postfix_.postlog_service_name;
  }
  return target;
}

UvClients::Limits DaemonSettings::ClientLimits() const {
  return {std::min(static_cast<std::size_t>(server().max_clients), most_clients_),
          server().max_request, server().greeting};
}

RelayOptions DaemonSettings::ForRelay() const {
  return MakeRelayOptions(relay_mode_, options_, postfix_, server());
}

RelayOptions DaemonSettings::ForDomainRelay(const std::string& table) const {
  return MakeDomainRelayOptions(table, options_, postfix_, server());
}

}  // namespace proxymux::proxy
