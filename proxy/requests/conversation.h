// What is known of one client between and during its requests: its dialect, and the one request
// that is under way.
//
// A client's requests are answered one at a time, in order. The session feeds one complete
// attribute list after the other to RequestRouter::Handle; when that returns kPending the reply
// comes later through ReplySink::OnReply, and until then no further list is to be fed. Cancel()
// when the client is gone; after it nothing comes any more.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "pgsql/pool/connection_pool.h"
#include "pgsql/work/table_binding.h"
#include "pgsql/runtime/event_loop.h"
#include "pgsql/table/compiled_table.h"
#include "protocol/dialect.h"
#include "protocol/reply.h"
#include "protocol/request.h"
#include "proxy/relay/relay.h"
#include "proxy/requests/coalescer.h"
#include "proxy/tables/answer_cache.h"

namespace proxymux::proxy {

class RequestRouter;
struct ServedTable;

// A lookup that waits for what a `type:table` member of its table's domain list says: all that is
// needed to go on. Views in `preparation` point into the binding.
struct DomainQuestion {
  std::shared_ptr<pgsql::TableBinding> binding;
  std::shared_ptr<pgsql::ConnectionPool> pool;
  std::shared_ptr<AnswerCache> cache;
  pgsql::Preparation preparation;
  std::string key;  // folded
  std::string folded_domain;
};

// Where a reply goes that was not ready at once. Called once per pending request, never from inside
// Handle.
class ReplySink {
 public:
  virtual ~ReplySink() = default;
  virtual void OnReply(std::string_view reply) = 0;
};

class Conversation final : private Coalescer::Waiter {
 public:
  Conversation(RequestRouter* router, ReplySink* sink) : router_(router), sink_(sink) {}
  ~Conversation() override { Cancel(); }
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  bool pending() const { return waiting() || relay_ticket_ != nullptr; }
  void Cancel();

 private:
  friend class RequestRouter;

  void OnAnswer(const pgsql::Answer& answer) override;
  void OnStaleAnswer(const StaleAnswer& stale) override;

  RequestRouter* const router_;
  ReplySink* const sink_;
  protocol::Dialect dialect_ = protocol::Dialect::kLegacy;  // of the last good request

  // The request under way.
  protocol::RequestKind kind_ = protocol::RequestKind::kUnknown;
  std::uint32_t flags_ = 0;
  bool utf8_active_ = false;
  std::shared_ptr<ServedTable> table_;
  pgsql::RealTime began_{};
  std::unique_ptr<RelayTicket> relay_ticket_;  // of a relayed request, or of question_
  std::unique_ptr<DomainQuestion> question_;   // null unless the lookup waits for a domain list
  std::unique_ptr<SequenceLease> lease_;       // from the first sequence request on
};

}  // namespace proxymux::proxy
