#include "proxy/requests/domain_question.h"

#include <utility>

#include "pgsql/sql/key_parts.h"
#include "pgsql/table/domain_filter.h"

namespace proxymux::proxy {
namespace {

using TableAnswer = pgsql::DomainFilter::TableAnswer;

TableAnswer ForTable(DomainAnswer::Kind kind) {
  switch (kind) {
    case DomainAnswer::Kind::kFound:
      return TableAnswer::kFound;
    case DomainAnswer::Kind::kNotFound:
      return TableAnswer::kNotFound;
    case DomainAnswer::Kind::kFailed:
      return TableAnswer::kFailed;
  }
  return TableAnswer::kFailed;
}

}  // namespace

DomainQuestion::DomainQuestion(const PreparedLookup& lookup)
    : binding_(lookup.binding),
      pool_(lookup.pool),
      cache_(lookup.cache),
      preparation_(lookup.preparation),
      key_(lookup.key),
      folded_domain_(lookup.folded_domain) {}

void DomainQuestion::Ask(DomainLookup* domains, DomainLookup::Done done) {
  ticket_ = domains->Ask(preparation_.domain.text, folded_domain_, std::move(done));
}

PreparedLookup DomainQuestion::Resume(const DomainAnswer& answer) const {
  return {binding_,
          pool_,
          cache_,
          key_,
          folded_domain_,
          binding_->table->ResumePrepare(preparation_, ForTable(answer.kind), pgsql::KeyParts(key_),
                                         folded_domain_),
          answer.reason};
}

}  // namespace proxymux::proxy
