#include "proxy/requests/conversation.h"

#include <utility>
#include <variant>

#include "protocol/request_parser.h"

namespace proxymux::proxy {

void Conversation::Cancel() {
  router_->backends().coalescer->Cancel(this);
  relay_ticket_.reset();
  domain_question_.reset();
  EndRequest();
}

Handled Conversation::Handle(std::string_view bytes, const protocol::AttributeList& list,
                             std::string* out) {
  const protocol::ParseResult parsed = protocol::ParseRequest(list, current_.dialect);
  if (const auto* malformed = std::get_if<protocol::Malformed>(&parsed)) {
    router_->Refuse(*malformed, out);
    return Handled::kReplied;
  }
  if (const auto* unanswered = std::get_if<protocol::Unanswered>(&parsed)) {
    router_->Ignore(*unanswered);
    return Handled::kIgnored;
  }
  const auto& request = std::get<protocol::Request>(parsed);
  switch (router_->RouteOf(request, &current_, out)) {
    case RequestRouter::Route::kReplied:
      return Handled::kReplied;
    case RequestRouter::Route::kLookup:
      return Lookup(std::get<protocol::LookupRequest>(request.operation), out);
    case RequestRouter::Route::kRelay:
      return Forward(bytes, request);
  }
  return Handled::kIgnored;
}

Handled Conversation::Lookup(const protocol::LookupRequest& request, std::string* out) {
  const auto lookup = router_->lookups().Begin(request, &current_, out);
  if (lookup.has_value()) return GoOn(*lookup, out);
  EndRequest();
  return Handled::kReplied;
}

Handled Conversation::GoOn(const PreparedLookup& lookup, std::string* out) {
  const RequestRouter::Backends& backends = router_->backends();
  switch (router_->lookups().Next(lookup, current_, out)) {
    case TableLookups::Need::kNothing:
      break;
    case TableLookups::Need::kDomainTable:
      domain_question_ = std::make_unique<DomainQuestion>(lookup);
      domain_question_->Ask(backends.domains,
                            [this](const DomainAnswer& answer) { OnDomainAnswer(answer); });
      return Handled::kPending;
    case TableLookups::Need::kServer:
      router_->lookups().CountStarted(
          backends.coalescer->Lookup(lookup.binding, lookup.pool, lookup.key, this, lookup.cache),
          current_);
      return Handled::kPending;
  }
  EndRequest();
  return Handled::kReplied;
}

Handled Conversation::Forward(std::string_view bytes, const protocol::Request& request) {
  RelayRequest forwarded;
  forwarded.list = bytes;
  forwarded.table = protocol::TableOf(request.operation);
  forwarded.kind = current_.kind;
  forwarded.dialect = current_.dialect;
  Relay* const relay = router_->backends().relay;
  SequenceLease* lease = nullptr;
  if (const auto* sequence = std::get_if<protocol::SequenceRequest>(&request.operation)) {
    forwarded.step = sequence->function == protocol::SequenceFunction::kFirst ? SequenceStep::kFirst
                                                                              : SequenceStep::kNext;
    if (lease_ == nullptr) lease_ = relay->NewLease();
    lease = lease_.get();
  }
  relay_ticket_ = relay->Submit(std::move(forwarded), lease,
                                [this](const RelayReply& reply) { OnRelayReply(reply); });
  return Handled::kPending;
}

// In each of these what waited is gone before the sink is told: it may feed the next request, which
// may come back here. Nothing of ours is used after that.

void Conversation::OnAnswer(const pgsql::Answer& answer) {
  const std::string_view reply = router_->lookups().Finish(answer, current_);
  EndRequest();
  sink_->OnReply(reply);
}

void Conversation::OnStaleAnswer(const StaleAnswer& stale) {
  const std::string_view reply = router_->lookups().FinishStale(stale, current_);
  EndRequest();
  sink_->OnReply(reply);
}

void Conversation::OnDomainAnswer(const DomainAnswer& answer) {
  // A further member, or the next request, has a question of its own.
  const std::unique_ptr<DomainQuestion> question = std::move(domain_question_);
  std::string reply;
  const Handled handled = GoOn(question->Resume(answer), &reply);
  if (handled == Handled::kReplied) sink_->OnReply(reply);
}

void Conversation::OnRelayReply(const RelayReply& reply) {
  const std::unique_ptr<RelayTicket> ticket = std::move(relay_ticket_);
  std::string failure;
  switch (reply.outcome) {
    case RelayOutcome::kReplied:
      router_->CountRelayed(reply, current_);
      sink_->OnReply(reply.reply);
      return;
    case RelayOutcome::kFailed:
      router_->RelayFailed(reply, current_, &failure);
      sink_->OnReply(failure);
      return;
  }
}

}  // namespace proxymux::proxy
