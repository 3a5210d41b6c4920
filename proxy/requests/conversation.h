// One client's requests: one after the other, each answered before the next is taken.
//
// The session feeds one complete attribute list after the other to Handle(). When that returns
// kPending the reply comes later through ReplySink::OnReply, and until then no further list is to
// be fed. Cancel() when the client is gone; after it nothing comes any more.
//
// What is to be done with a request the router says; this carries it out, and owns all that waits:
// the place in the coalescer, the question about a domain, the relayed request, and the lease of
// the client's `sequence`. It has no socket, and counts and logs nothing itself.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "protocol/attribute_codec.h"
#include "protocol/request.h"
#include "proxy/relay/domain_lookup.h"
#include "proxy/relay/relay.h"
#include "proxy/requests/coalescer.h"
#include "proxy/requests/current_request.h"
#include "proxy/requests/domain_question.h"
#include "proxy/requests/request_router.h"

namespace proxymux::proxy {

// Where a reply goes that was not ready at once. Called once per pending request, never from inside
// Handle. The view is good until the next request is handled.
class ReplySink {
 public:
  virtual ~ReplySink() = default;
  virtual void OnReply(std::string_view reply) = 0;
};

enum class Handled {
  kReplied,  // the reply was appended to `out`
  kPending,  // it comes through the sink
  kIgnored,  // there is none: the list was no request
};

class Conversation final : private Coalescer::Waiter {
 public:
  // Both must outlive it.
  Conversation(RequestRouter* router, ReplySink* sink) : router_(router), sink_(sink) {}
  ~Conversation() override { Cancel(); }
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  // `bytes` is the list as it came, closing NUL included; `list` its attributes.
  Handled Handle(std::string_view bytes, const protocol::AttributeList& list, std::string* out);

  bool pending() const {
    return waiting() || relay_ticket_ != nullptr || domain_question_ != nullptr;
  }
  void Cancel();

 private:
  Handled Lookup(const protocol::LookupRequest& request, std::string* out);
  Handled GoOn(const PreparedLookup& lookup, std::string* out);
  Handled Forward(std::string_view bytes, const protocol::Request& request);

  void OnAnswer(const pgsql::Answer& answer) override;
  void OnStaleAnswer(const StaleAnswer& stale) override;
  void OnDomainAnswer(const DomainAnswer& answer);
  void OnRelayReply(const RelayReply& reply);
  void EndRequest() { current_.table.reset(); }

  RequestRouter* const router_;
  ReplySink* const sink_;
  CurrentRequest current_;                     // or the last one
  std::unique_ptr<RelayTicket> relay_ticket_;  // of a relayed request
  // Null unless the lookup waits for a domain list.
  std::unique_ptr<DomainQuestion> domain_question_;
  std::unique_ptr<SequenceLease> lease_;  // from the first sequence request on
};

}  // namespace proxymux::proxy
