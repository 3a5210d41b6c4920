// How other map types are relayed, from how we were started and what is configured.
#pragma once

#include "config/server_config.h"
#include "proxy/daemon_options.h"
#include "proxy/postfix_settings.h"
#include "proxy/uv_relay.h"

namespace proxymux::proxy {

// In stock's place there is no stock service to ask, and its daemons are ours to run. The same when
// master.cf has no stock line at all, so that nobody listens there. Connects once to find out;
// relative names are from the working directory.
StockMode ChooseRelayMode(const DaemonOptions& options, const config::ServerConfig& server);

RelayOptions MakeRelayOptions(StockMode mode, const DaemonOptions& options,
                              const PostfixSettings& postfix, const config::ServerConfig& server);

}  // namespace proxymux::proxy
