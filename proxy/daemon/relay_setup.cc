#include "proxy/daemon/relay_setup.h"

#include <unistd.h>

#include <cerrno>

#include "proxy/process/process_environment.h"
#include "proxy/process/socket_name.h"
#include "proxy/relay/stock_command.h"
#include "proxy/relay/stock_listener.h"

namespace proxymux::proxy {
namespace {

// Two of them work at once: the scheduler keeps the last free one for another table, and there is
// none.
constexpr std::size_t kDomainTableSlots = 3;

}  // namespace

StockMode ChooseRelayMode(const DaemonOptions& options, const config::ServerConfig& server) {
  if (options.service_name == "proxymap") return StockMode::kSpawn;
  const std::string& socket = server.relay_socket;
  for (const int listener : options.listeners) {
    if (IsNameOf(socket, listener)) return StockMode::kSpawn;  // it would be ourselves
  }
  if (socket != config::ServerConfig().relay_socket) return StockMode::kService;
  const int probe = ConnectToUnixSocket(socket);
  if (probe >= 0) close(probe);
  return probe >= 0 || probe == -EAGAIN ? StockMode::kService : StockMode::kSpawn;
}

RelayOptions MakeRelayOptions(StockMode mode, const DaemonOptions& options,
                              const PostfixSettings& postfix, const config::ServerConfig& server) {
  RelayOptions relay;
  relay.policy.mode = mode;
  relay.policy.processes = static_cast<std::size_t>(server.relay_processes);
  relay.policy.request_timeout = server.relay_timeout;
  relay.policy.process_idle = server.relay_idle;
  relay.service_socket = server.relay_socket;
  relay.launch.program = postfix.daemon_directory + "/proxymap";
  relay.launch.queue_directory = postfix.queue_directory;
  relay.launch.socket_directory = postfix.data_directory;
  relay.launch.approved.assign(postfix.approved.tables.begin(), postfix.approved.tables.end());
  for (const auto& [name, value] : options.overrides) {
    relay.launch.overrides.push_back(name + "=" + value);
  }
  relay.launch.verbosity = options.verbosity;
  relay.launch.environment = ProcessEnvironment();
  relay.launch.environment["MAIL_CONFIG"] = options.config_directory;
  relay.launch.generation = options.generation;
  return relay;
}

RelayOptions MakeDomainRelayOptions(const std::string& table, const DaemonOptions& options,
                                    const PostfixSettings& postfix,
                                    const config::ServerConfig& server) {
  RelayOptions relay = MakeRelayOptions(StockMode::kSpawn, options, postfix, server);
  relay.policy.processes = kDomainTableSlots;
  relay.launch.approved = {table};
  return relay;
}

protocol::Dialect StockDialect(const PostfixSettings& postfix) {
  return protocol::DialectOfRelease(postfix.mail_version.major, postfix.mail_version.minor);
}

}  // namespace proxymux::proxy
