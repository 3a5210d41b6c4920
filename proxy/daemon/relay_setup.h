// How other map types are relayed, from how we were started and what is configured.
#pragma once

#include <string>

#include "config/values/server_config.h"
#include "protocol/dialect.h"
#include "proxy/daemon/daemon_options.h"
#include "proxy/process/postfix_settings.h"
#include "proxy/relay/uv_relay.h"

namespace proxymux::proxy {

// kSpawn in stock's place: there is no stock service to ask, and its daemons are ours to run.
// kSpawn also when `relay.socket` is a socket that we listen on ourselves, and when it has its
// default and nobody listens there, as when master.cf has no stock line. Connects once to find out;
// relative names are from the working directory.
StockMode ChooseRelayMode(const DaemonOptions& options, const config::ServerConfig& server);

RelayOptions MakeRelayOptions(StockMode mode, const DaemonOptions& options,
                              const PostfixSettings& postfix, const config::ServerConfig& server);

// For a `type:table` member of a domain list: daemons of our own in every mode, for this one table.
RelayOptions MakeDomainRelayOptions(const std::string& table, const DaemonOptions& options,
                                    const PostfixSettings& postfix,
                                    const config::ServerConfig& server);

// What the installed Postfix speaks.
protocol::Dialect StockDialect(const PostfixSettings& postfix);

}  // namespace proxymux::proxy
