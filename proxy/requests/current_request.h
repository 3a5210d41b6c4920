// The one request of a client that is being answered: what its reply, its counters and its log
// lines need to know of it. A plain value; the client's Conversation has it.
#pragma once

#include <cstdint>
#include <memory>

#include "pgsql/runtime/event_loop.h"
#include "protocol/dialect.h"
#include "protocol/request.h"
#include "proxy/status/status.h"
#include "proxy/tables/served_table.h"

namespace proxymux::proxy {

struct CurrentRequest {
  protocol::RequestKind kind = protocol::RequestKind::kUnknown;
  protocol::Dialect dialect = protocol::Dialect::kLegacy;  // stays when the request is answered
  std::uint32_t flags = 0;                                 // of the reply
  pgsql::RealTime began{};

  // Only of lookups in pgsql tables.
  std::shared_ptr<ServedTable> table;
  bool utf8_active = false;

  // Only of requests for tables of other types.
  RelayWork* relayed = nullptr;
};

}  // namespace proxymux::proxy
