// Lookups in, answers out: the one public door of this room. A pool is a bounded set of
// connections, in all, to the hosts that a group of tables names with the same user, password,
// database, encoding and connection options.
//
// What one turn of the loop brought in is sent at its end: each lookup goes to the ready connection
// with the least work in flight, each connection gets one Sync and one flush. A connection is
// opened when there is more work outstanding than connections, so one busy client has one and many
// have as many as `connections` allows; idle ones are closed again.
//
// Lanes. Statements whose service time is long or not known yet, and texts of several statements,
// would hold up what is sent behind them. They go to connections that take nothing else meanwhile,
// and where there are several, one connection at least stays for the quick ones, as long as there
// are any. Tables share the lanes.
//
// Sessions. A statement that may change its session, or of which that is not known, makes its
// connection its table's own: no other table's statement is sent there. When others need it, it is
// replaced by a new one.
//
// Silence. What a connection owes for `stall_limit` is also asked of another host, if it only
// reads, and the first answer wins; the host is put to the test with one connection more. A table
// may ask for the same as soon as a lookup takes longer than usual (hedge_percent). A host that was
// down gets one statement, and more when that is answered.
//
// Failures. A lookup whose connection dies, or that was aborted by a neighbour in its batch, is
// sent again; to another host first, and at most twice to the same one. A lookup that no host can
// take is answered kRetry at once; when no host can take any, lookups wait for the time of
// outage_wait first. A statement over its time limit is cancelled on the server and
// tried elsewhere; a connection that does not react to that is dropped.
//
// Bounds: connections, statements in flight on each, waiting lookups, time in the queue, time in
// all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "config/values/server_config.h"
#include "pgsql/connection/upstream_connection.h"
#include "pgsql/host/host_set.h"
#include "pgsql/pool/catalogue_questions.h"
#include "pgsql/pool/connection_opener.h"
#include "pgsql/pool/connection_set.h"
#include "pgsql/pool/dispatcher.h"
#include "pgsql/pool/lag_questions.h"
#include "pgsql/pool/open_work.h"
#include "pgsql/pool/outage_watch.h"
#include "pgsql/pool/pool_config.h"
#include "pgsql/pool/pool_context.h"
#include "pgsql/pool/pool_counters.h"
#include "pgsql/pool/pool_observer.h"
#include "pgsql/pool/result_handler.h"
#include "pgsql/pool/second_asking.h"
#include "pgsql/pool/work_limits.h"
#include "pgsql/pool/work_sender.h"
#include "pgsql/runtime/event_loop.h"
#include "pgsql/work/table_binding.h"
#include "pgsql/work/work.h"

namespace proxymux::pgsql {

class ConnectionPool final : private UpstreamObserver {
 public:
  ConnectionPool(PoolConfig config, UpstreamFactory* factory, EventLoop* loop,
                 PoolObserver* observer, std::uint32_t seed);
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  // The sink is answered once, later. The returned ticket is good until then.
  Work* Submit(std::shared_ptr<TableBinding> binding, std::string_view key, LookupSink* sink);
  // The sink of `ticket` is gone and must not be called.
  void Abandon(Work* ticket) { work_.Abandon(ticket); }
  // Whether no server can have seen the lookup yet, not even in a try that failed.
  static bool Unsent(const Work* ticket) { return ticket->sent == Time{}; }

  // New settings; the connection limit takes effect as connections become idle.
  void SetSettings(const config::PoolSettings& settings);

  // What is prepared is not used any more: every statement is prepared anew.
  void ForgetStatements();

  // The administrator takes a host out of use, or puts it back. What it has in flight is answered;
  // what waits goes to the others, and is answered kRetry where there is none.
  void SetDisabled(std::size_t host, bool disabled);
  // The connections to a host are replaced by new ones, one after the other. How many that are.
  std::size_t Reconnect(std::size_t host);

  const std::string& name() const { return pool_.config.name; }
  const config::PoolSettings& settings() const { return pool_.settings(); }
  const HostSet& hosts() const { return pool_.hosts; }
  std::size_t InFlight() const { return connections_.InFlight(); }  // on all connections
  std::size_t InFlightOn(std::size_t host) const { return connections_.InFlightOn(host); }
  PoolCounters counters() const;
  PoolGauges Gauges() const;
  // Nothing waits and nothing is in flight.
  bool Idle() const;
  // What is kept for lookups and questions of the pool's own that are not over; 0 when Idle().
  std::size_t WorkInUse() const { return work_.in_use(); }

 private:
  // UpstreamObserver
  void OnReady(UpstreamConnection* upstream) override;
  void OnConnectFailed(UpstreamConnection* upstream, const ConnectionFault& failure) override;
  void OnResult(UpstreamConnection* upstream, Work* work, const StatementResult& result) override;
  void OnAllAnswered(UpstreamConnection* upstream) override;
  void OnNoPooler(UpstreamConnection* upstream) override;
  void OnOutdated(UpstreamConnection* upstream) override;
  void OnLost(UpstreamConnection* upstream, const ConnectionFault& why) override;

  void ApplySettings();
  void LookAtHosts();
  void Dispatch();
  void Tick();
  void ArmTimer();
  Duration TickInterval() const;

  PoolContext pool_;
  OpenWork work_{&pool_};
  ConnectionSet connections_;
  WorkSender sender_{&pool_, &work_, &connections_};
  CatalogueQuestions catalogues_{&pool_, &work_, &connections_, &sender_};
  LagQuestions lags_{&pool_, &work_, &connections_, &sender_};
  ResultHandler results_{&pool_, &work_, &connections_, &catalogues_, &lags_};
  Dispatcher dispatcher_{&pool_, &work_, &connections_, &sender_};
  ConnectionOpener opener_{&pool_, &work_, &connections_};
  SecondAsking second_asking_{&pool_, &work_, &connections_};
  OutageWatch outages_{&pool_, &work_};
  WorkLimits limits_{&pool_, &work_, &connections_};
  std::unique_ptr<Timer> timer_;
  std::optional<Time> next_tick_;  // when timer_ runs out
};

}  // namespace proxymux::pgsql
