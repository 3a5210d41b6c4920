// Lookups whose table has a domain list with `type:table` members: they wait for what such a member
// says, then go on as any other.
#include <utility>

#include "proxy/requests/request_router.h"

namespace proxymux::proxy {

RequestRouter::Handled RequestRouter::AskDomainTable(const Prepared& lookup,
                                                     Conversation* conversation) {
  // Kept whole: `folded_key_` and the table's version are others' when the answer comes.
  auto question = std::make_unique<DomainQuestion>();
  question->binding = lookup.binding;
  question->pool = lookup.pool;
  question->cache = lookup.cache;
  question->preparation = lookup.preparation;
  question->key = lookup.key;
  question->folded_domain = lookup.folded_domain;
  conversation->question_ = std::move(question);
  conversation->relay_ticket_ = domains_->Ask(
      lookup.preparation.domain.text, conversation->question_->folded_domain,
      [this, conversation](const DomainAnswer& answer) { OnDomainAnswer(conversation, answer); });
  return Handled::kPending;
}

void RequestRouter::OnDomainAnswer(Conversation* conversation, const DomainAnswer& answer) {
  // Both go first: a further member, or the next request, has its own.
  const std::unique_ptr<RelayTicket> ticket = std::move(conversation->relay_ticket_);
  const std::unique_ptr<DomainQuestion> question = std::move(conversation->question_);
  const pgsql::Preparation next = question->binding->table->ResumePrepare(
      question->preparation, answer.answer, pgsql::KeyParts(question->key),
      question->folded_domain);
  late_reply_.clear();
  const Handled handled = Proceed({question->binding, question->pool, question->cache,
                                   question->key, question->folded_domain, next, answer.reason},
                                  conversation, &late_reply_);
  // Nothing of ours is used after this, as in OnLookupAnswer.
  if (handled == Handled::kReplied) conversation->sink_->OnReply(late_reply_);
}

}  // namespace proxymux::proxy
