// Decides what is done with a request: is its table approved, and is it pgsql or another type;
// folds the key, then asks or refuses; and makes of an answer the reply on the wire. Knows no
// sockets and no clock but the loop's.
//
// Errors map to statuses so that a lookup that could be answered later is RETRY, never BAD or DENY
// (those end the client process); a broken table is CONFIG and takes no other with it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/attribute_codec.h"
#include "protocol/request_parser.h"
#include "proxy/log/message_log.h"
#include "proxy/relay/domain_lookup.h"
#include "proxy/relay/relay.h"
#include "proxy/requests/coalescer.h"
#include "proxy/requests/conversation.h"
#include "proxy/status/status.h"
#include "proxy/tables/served_table.h"
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
  // All must outlive the router.
  RequestRouter(const TableRegistry* tables, Coalescer* coalescer, Relay* relay,
                DomainLookup* domains, const pgsql::EventLoop* loop, MessageLog* log,
                bool smtputf8_enable);

  enum class Handled {
    kReplied,  // the reply was appended to `out`
    kPending,  // it comes through the conversation's sink
    kIgnored,  // there is none: the list was no request
  };
  // `bytes` is the list as it came, closing NUL included; `list` its attributes.
  Handled Handle(std::string_view bytes, const protocol::AttributeList& list,
                 Conversation* conversation, std::string* out);

  const RouterCounters& counters() const { return counters_; }

 private:
  friend class Conversation;

  Handled HandleRequest(std::string_view bytes, const protocol::Request& request,
                        Conversation* conversation, std::string* out);
  Handled Open(const protocol::OpenRequest& request, Conversation* conversation, std::string* out);
  Handled Lookup(const protocol::LookupRequest& request, Conversation* conversation,
                 std::string* out);
  // Views are used before it returns.
  struct Prepared {
    const std::shared_ptr<pgsql::TableBinding>& binding;
    const std::shared_ptr<pgsql::ConnectionPool>& pool;
    const std::shared_ptr<AnswerCache>& cache;  // null: the table has none
    std::string_view key;                       // folded
    std::string_view folded_domain;
    const pgsql::Preparation& preparation;
    std::string_view failure;  // why a member could not be looked up, when that is known
  };
  Handled Proceed(const Prepared& lookup, Conversation* conversation, std::string* out);
  // Nothing when the server has to be asked.
  std::optional<Handled> AnswerFromCache(const Prepared& lookup, Conversation* conversation,
                                         std::string* out);
  Handled AskDomainTable(const Prepared& lookup, Conversation* conversation);
  Handled Forward(std::string_view bytes, const protocol::Request& request,
                  Conversation* conversation);
  Handled Answer(Conversation* conversation, protocol::Status status, std::string_view value,
                 std::string* out);

  void OnLookupAnswer(Conversation* conversation, const pgsql::Answer& answer);
  void OnStaleAnswer(Conversation* conversation, const StaleAnswer& stale);
  void OnDomainAnswer(Conversation* conversation, const DomainAnswer& answer);
  void OnRelayReply(Conversation* conversation, const RelayReply& reply);
  protocol::Status StatusOf(Conversation* conversation, const pgsql::Answer& answer);
  // What the answer says about its table.
  static void Remember(TableFailures* failures, protocol::Status status,
                       const pgsql::Answer& answer);
  void CountRelayed(const Conversation& conversation, std::string_view reply);
  void CountTable(ServedTable* table, protocol::Status status);
  void CountReply(protocol::Status status);

  const TableRegistry* const tables_;
  Coalescer* const coalescer_;
  Relay* const relay_;
  DomainLookup* const domains_;
  const pgsql::EventLoop* const loop_;
  MessageLog* const log_;
  const bool smtputf8_enable_;

  std::string folded_key_;
  std::string folded_domain_;
  std::string late_reply_;
  RouterCounters counters_;
};

}  // namespace proxymux::proxy
