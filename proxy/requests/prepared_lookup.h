// A lookup in a pgsql table with its key prepared: what it goes on with. Views and references only,
// for as long as the call lasts that was given it; DomainQuestion keeps all of it longer.
#pragma once

#include <memory>
#include <string_view>

#include "pgsql/pool/connection_pool.h"
#include "pgsql/table/compiled_table.h"
#include "pgsql/work/table_binding.h"
#include "proxy/tables/answer_cache.h"

namespace proxymux::proxy {

struct PreparedLookup {
  const std::shared_ptr<pgsql::TableBinding>& binding;
  const std::shared_ptr<pgsql::ConnectionPool>& pool;
  const std::shared_ptr<AnswerCache>& cache;  // null: the table has none
  std::string_view key;                       // folded
  std::string_view folded_domain;
  pgsql::Preparation preparation;
  std::string_view failure;  // why a member could not be looked up, when that is known
};

}  // namespace proxymux::proxy
