// The connections of a pool: opened, ready, lost, closed, and what is in flight on each. Counts
// them for their hosts (PoolHost::connecting, ready), and tells the hosts' health what it saw; what
// a connection that ends owes goes back to the queue.
//
// A connection that ends stays in its place, closed, until RemoveClosed(): whoever goes through
// them may end some.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pgsql/connection/connection_loss.h"
#include "pgsql/connection/pool_connection.h"
#include "pgsql/connection/upstream_connection.h"
#include "pgsql/host/host_health.h"
#include "pgsql/host/host_set.h"
#include "pgsql/policy/pool_view.h"
#include "pgsql/pool/open_work.h"
#include "pgsql/pool/pool_context.h"
#include "pgsql/pool/pool_counters.h"
#include "pgsql/runtime/event_loop.h"
#include "pgsql/work/work.h"

namespace proxymux::pgsql {

class ConnectionSet {
 public:
  using Loss = ConnectionLoss;

  // Why one is dropped that owes an answer.
  static constexpr char kSilent[] = "no answer within stall_limit";

  // `owner`: is told what happens on the connections.
  ConnectionSet(PoolContext* pool, OpenWork* work, UpstreamFactory* factory,
                UpstreamObserver* owner);
  ~ConnectionSet();
  ConnectionSet(const ConnectionSet&) = delete;
  ConnectionSet& operator=(const ConnectionSet&) = delete;

  const std::vector<std::unique_ptr<PoolConnection>>& all() const { return connections_; }
  PoolConnection& Find(UpstreamConnection* upstream);
  PoolView View() const;

  void Open(std::size_t host);
  void OnReady(PoolConnection& connection);
  void OnConnectFailed(PoolConnection& connection, const ConnectionFault& failure);

  // The work is on the connection; it does not wait any more.
  void CountSent(PoolConnection& connection, Work* work);
  // It was answered, or the connection has ended.
  void CountBack(PoolConnection& connection, Work* work);
  // Asks the server to give up what runs there.
  void Cancel(PoolConnection& connection);
  // The connection was lost, perhaps to the account of the work (Attempts::ChargeLoss).
  void ChargeLoss(const PoolConnection& connection, Work* work);
  // It has failed there for the host's sake (Attempts::ForgiveErrorAfterLoss).
  void ForgiveAfterLoss(const PoolConnection& connection, Work* work);

  // An idle one, or an attempt to connect.
  void Close(PoolConnection& connection);
  void Drop(PoolConnection& connection, const std::string& reason, Loss loss = Loss::kPerhapsHost);
  void DropOpen(std::size_t host, const std::string& reason);
  // Nobody is to go to that host any more: what is in flight there is answered.
  void Leave(std::size_t host);
  // Sessions that begin now are others than those to that host: they are left.
  void Outdate(std::size_t host);
  void CloseDrained();
  void RemoveClosed();

  std::size_t InFlight() const;  // on all connections
  std::size_t InFlightOn(std::size_t host) const;
  // Some of what is in flight is of tables that hedge.
  bool MayHedge() const { return hedgeable_ > 0; }
  void FillIn(PoolGauges* gauges) const;

 private:
  void Move(PoolConnection& connection, PoolConnection::Phase phase);
  void LeaveTrial(std::size_t host);
  void FailHost(PoolHost& host, HostHealth::FailureKind kind, const std::string& reason,
                Duration took);

  PoolContext* const pool_;
  OpenWork* const work_;
  UpstreamFactory* const factory_;
  UpstreamObserver* const owner_;
  std::vector<std::unique_ptr<PoolConnection>> connections_;
  std::uint64_t last_number_ = 0;
  std::size_t hedgeable_ = 0;
};

}  // namespace proxymux::pgsql
