// Which connections are to be replaced by new ones without haste, and which of them is next: for
// the administrator who wants new sessions, or other certificates.
//
// One after the other, as it runs empty. Where there is room for one more, a new one to the host
// comes first: a pool whose server lets nobody in any more keeps what it has. Where there is none,
// one is given up for it. Pure: it names connections, and the pool drains and opens them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "pgsql/connection/pool_connection.h"
#include "pgsql/policy/pool_view.h"

namespace proxymux::pgsql {

class ConnectionRenewal {
 public:
  // All to that host that are there now. How many of them are open and stay until their turn comes.
  std::size_t Begin(const PoolView& view, std::size_t host);

  struct Step {
    PoolConnection* ends = nullptr;         // as it runs empty; null: none, or none yet
    std::optional<std::size_t> opens = {};  // a host that a new connection is to be made to first
  };
  // `limit`: connections that there may be.
  Step Next(const PoolView& view, std::size_t limit);
  // Of that host's: the one that should go when one of them has to. Null: none is to be replaced,
  // or one is on its way out already.
  PoolConnection* LeastBusy(const PoolView& view, std::size_t host) const;

 private:
  bool Outworn(const PoolConnection& connection) const;
  bool Done(const PoolView& view) const;

  // By host: connections up to that number are replaced. Empty: nobody asked for any.
  std::vector<std::uint64_t> through_;
};

}  // namespace proxymux::pgsql
