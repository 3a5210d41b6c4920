// The parts of the running service, in the order of their dependence: the last is destroyed first.
// Made by Daemon, as far as it has come with its start; null until then.
#pragma once

#include <memory>

#include "pgsql/libpq/pg_pools.h"
#include "proxy/clients/uv_clients.h"
#include "proxy/log/log.h"
#include "proxy/log/message_log.h"
#include "proxy/relay/domain_tables.h"
#include "proxy/relay/relay_log.h"
#include "proxy/relay/uv_relay.h"
#include "proxy/requests/coalescer.h"
#include "proxy/requests/request_router.h"
#include "proxy/tables/pool_log.h"
#include "proxy/tables/table_loader.h"
#include "proxy/tables/table_registry.h"
#include "proxy/tables/table_service.h"
#include "proxy/uv/uv_event_loop.h"

namespace proxymux::proxy {

struct DaemonParts {
  explicit DaemonParts(Logger* logger) : log(logger, &loop) {}

  UvEventLoop loop;
  MessageLog log;
  PoolLog pool_log{&log};
  std::unique_ptr<pgsql::PgPools> pools;
  std::unique_ptr<TableLoader> loader;
  std::unique_ptr<TableRegistry> registry;
  std::unique_ptr<TableService> tables;
  RelayLog relay_log{&log};
  std::unique_ptr<UvRelay> relay;
  std::unique_ptr<DomainTables> domain_tables;
  Coalescer coalescer{&loop};
  std::unique_ptr<RequestRouter> router;
  std::unique_ptr<UvClients> clients;
};

}  // namespace proxymux::proxy
