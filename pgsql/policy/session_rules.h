// Whose statement may run in whose session.
//
// What a statement may do to its session is known from the catalogue, and for as long as the
// catalogue of its host is known not to have changed. While it is not known, the statement goes
// alone and makes the connection its table's own, until the answer is there: then it is everybody's
// again, or stays the table's until it ends. Pure.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pgsql/connection/pool_connection.h"
#include "pgsql/policy/pool_view.h"
#include "pgsql/table/statement_effects.h"
#include "pgsql/work/table_binding.h"
#include "pgsql/work/work.h"

namespace proxymux::pgsql {

class SessionRules {
 public:
  // What was asked of catalogues so far may be true no more.
  void OnCatalogueChanged() { ++catalogues_; }
  // The number that says of a table that it was asked about now (TableBinding::catalogue).
  std::uint64_t catalogues() const { return catalogues_; }

  // What the table's statement may do is known.
  bool Known(const TableBinding& binding) const;
  // What the table's lookups wait for.
  Line LineOf(const TableBinding& binding) const;
  SessionUse UseOf(const PoolView& view, const Work& work, std::size_t host) const;
  // Whether the statement may run in the connection's session.
  bool MayTake(const PoolView& view, const PoolConnection& connection, const Work& work) const;
  // A pooler may give its server to another client at the end of a batch, also when a part of the
  // next one is there already: that would be run, and answered, for somebody else. So the next
  // batch waits until the one before it is answered in full.
  bool WaitsForPooler(const PoolView& view, const PoolConnection& connection,
                      const Work& work) const;

  // The lookup is about to be sent on the connection.
  void Take(const PoolView& view, PoolConnection* connection, Work* work) const;
  // Something was learned of tables: what has left nothing behind is everybody's again.
  void Release(const PoolView& view) const;

 private:
  bool MayOwn(const PoolView& view, const Work& work) const;

  std::uint64_t catalogues_ = 1;  // raised when one of them has changed
};

}  // namespace proxymux::pgsql
