// A lookup that waits for what a `type:table` member of its table's domain list says: all that is
// needed to go on, and the question itself.
//
// Keeps the whole lookup: the buffers of its key, and the table's version, are others' when the
// answer comes. Destroying it gives the question up.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "pgsql/pool/connection_pool.h"
#include "pgsql/table/compiled_table.h"
#include "pgsql/work/table_binding.h"
#include "proxy/relay/domain_lookup.h"
#include "proxy/requests/prepared_lookup.h"
#include "proxy/tables/answer_cache.h"

namespace proxymux::proxy {

class DomainQuestion {
 public:
  // `lookup.preparation` is kNeedTable.
  explicit DomainQuestion(const PreparedLookup& lookup);
  DomainQuestion(const DomainQuestion&) = delete;
  DomainQuestion& operator=(const DomainQuestion&) = delete;

  // Once. `done` as DomainLookup has it.
  void Ask(DomainLookup* domains, DomainLookup::Done done);

  // The lookup as it goes on with that answer; perhaps it needs a further member. Good as long as
  // this and `answer` are.
  PreparedLookup Resume(const DomainAnswer& answer) const;

 private:
  const std::shared_ptr<pgsql::TableBinding> binding_;
  const std::shared_ptr<pgsql::ConnectionPool> pool_;
  const std::shared_ptr<AnswerCache> cache_;
  const pgsql::Preparation preparation_;  // its views point into the binding
  const std::string key_;                 // folded
  const std::string folded_domain_;
  std::unique_ptr<RelayTicket> ticket_;
};

}  // namespace proxymux::proxy
