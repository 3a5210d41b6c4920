// Decides what is done with a request: is its table approved, is it pgsql or another type, is it
// to be refused. Answers at once what needs no lookup; knows no client and no clock but the loop's.
//
// Conversation carries out what is decided here, and waits where that takes time. What a lookup in
// a pgsql table needs is TableLookups'; what goes out is ReplyWriter's. The counters of requests
// are the router's own.
//
// Errors map to statuses so that a lookup that could be answered later is RETRY, never BAD or DENY
// (those end the client process).
#pragma once

#include <cstdint>
#include <string>

#include "pgsql/runtime/event_loop.h"
#include "protocol/request.h"
#include "protocol/request_parser.h"
#include "proxy/log/message_log.h"
#include "proxy/relay/domain_lookup.h"
#include "proxy/relay/relay.h"
#include "proxy/requests/coalescer.h"
#include "proxy/requests/current_request.h"
#include "proxy/requests/relayed_tables.h"
#include "proxy/requests/reply_writer.h"
#include "proxy/requests/table_lookups.h"
#include "proxy/status/status.h"
#include "proxy/tables/table_registry.h"

namespace proxymux::proxy {

struct RouterCounters {
  RequestCounts requests;
  ReplyCounts replies;
  std::uint64_t malformed = 0;
  std::uint64_t coalesced = 0;
};

class RequestRouter {
 public:
  // Whom a conversation asks when a request cannot be answered at once.
  struct Backends {
    Coalescer* coalescer;
    Relay* relay;
    DomainLookup* domains;
  };

  // All must outlive the router.
  RequestRouter(const TableRegistry* tables, Coalescer* coalescer, Relay* relay,
                DomainLookup* domains, const pgsql::EventLoop* loop, MessageLog* log,
                bool smtputf8_enable);
  RequestRouter(const RequestRouter&) = delete;
  RequestRouter& operator=(const RequestRouter&) = delete;

  enum class Route {
    kReplied,  // the reply was appended to `out`
    kLookup,   // in the pgsql table `current->table`, by way of lookups()
    kRelay,    // another table type
  };
  // Sets `*current` anew.
  Route RouteOf(const protocol::Request& request, CurrentRequest* current, std::string* out);

  // Lists that are no request.
  void Refuse(const protocol::Malformed& malformed, std::string* out);
  void Ignore(const protocol::Unanswered& unanswered);

  // What became of a relayed request.
  void CountRelayed(const RelayReply& reply, const CurrentRequest& current);
  void RelayFailed(const RelayReply& reply, const CurrentRequest& current, std::string* out);

  const Backends& backends() const { return backends_; }
  TableLookups& lookups() { return lookups_; }
  const RelayedTables& relayed() const { return relayed_; }

  RouterCounters counters() const {
    return {requests_, replies_.counts(), malformed_, lookups_.coalesced()};
  }

 private:
  void CountRequest(protocol::RequestKind kind);
  Route Reply(const CurrentRequest& current, protocol::Status status, std::string* out);

  const TableRegistry* const tables_;
  const Backends backends_;
  const pgsql::EventLoop* const loop_;
  MessageLog* const log_;
  const bool smtputf8_enable_;
  ReplyWriter replies_;
  TableLookups lookups_;
  RelayedTables relayed_;
  RequestCounts requests_;
  std::uint64_t malformed_ = 0;
};

}  // namespace proxymux::proxy
