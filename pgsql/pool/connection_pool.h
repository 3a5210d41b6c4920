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
// and one connection at least stays for the quick ones, as long as there are any. Tables share the
// lanes.
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
// take is answered kRetry at once. A statement over its time limit is cancelled on the server and
// tried elsewhere; a connection that does not react to that is dropped.
//
// Bounds: connections, statements in flight on each, waiting lookups, time in the queue, time in
// all.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "config/values/server_config.h"
#include "pgsql/host/error_class.h"
#include "pgsql/host/host_set.h"
#include "pgsql/pool/connection_budget.h"
#include "pgsql/pool/lanes.h"
#include "pgsql/pool/placement.h"
#include "pgsql/pool/pool_connection.h"
#include "pgsql/pool/pool_view.h"
#include "pgsql/pool/prepared_statements.h"
#include "pgsql/pool/session_rules.h"
#include "pgsql/pool/silence_watch.h"
#include "pgsql/pool/statement_sender.h"
#include "pgsql/pool/upstream_connection.h"
#include "pgsql/runtime/event_loop.h"
#include "pgsql/table/statement_effects.h"
#include "pgsql/work/lookup_deadlines.h"
#include "pgsql/work/table_binding.h"
#include "pgsql/work/work.h"
#include "pgsql/work/work_queues.h"
#include "pgsql/work/work_store.h"

namespace proxymux::pgsql {

// What a pool has to tell; the views die with the call.
class PoolObserver {
 public:
  virtual ~PoolObserver() = default;
  virtual void OnHostUp(const std::string& pool, const PoolHost& host, Duration was_down) = 0;
  virtual void OnHostDown(const std::string& pool, const PoolHost& host) = 0;
  // A connection owes answers for that long; the host is put to the test.
  virtual void OnHostSilent(const std::string& pool, const PoolHost& host, Duration silent) = 0;
  virtual void OnConnectionLost(const std::string& pool, const PoolHost& host,
                                const std::string& reason, std::size_t unanswered) = 0;
  // A statement was not answered within its limit and is being cancelled.
  virtual void OnStatementTimeout(const std::string& pool, const PoolHost& host,
                                  const TableBinding& binding) = 0;
  // The catalogue could not be asked about a table's statement: it is taken for one that may write.
  virtual void OnUnclassified(const TableBinding& binding, std::string_view reason) = 0;
  // A table's statement may change the session: it gets connections that no other table shares.
  virtual void OnOwnSession(const TableBinding& binding) = 0;
  // The server takes a table's query as text only; the reason is the plan's.
  virtual void OnKeptAsText(const TableBinding& binding) = 0;
  // Statements that were prepared on a host are unknown there, more than once: none is prepared
  // there for a while.
  virtual void OnStatementsVanish(const std::string& pool, const PoolHost& host) = 0;
};

struct PoolConfig {
  std::string name;  // as shown in logs and status: user@host1,host2/dbname
  std::vector<PoolHost> hosts;
  config::PoolSettings settings;
  std::chrono::seconds idle_interval{60};
};

struct PoolCounters {
  std::uint64_t lookups = 0;
  std::uint64_t statements = 0;
  std::uint64_t prepares = 0;
  std::uint64_t syncs = 0;
  std::uint64_t reruns = 0;
  std::uint64_t stalled = 0;  // lookups asked of another host as well because of a silence
  std::uint64_t hedged = 0;   // because they took longer than usual
  std::uint64_t queue_timeouts = 0;
  std::uint64_t queue_full = 0;
  std::uint64_t statement_timeouts = 0;
  std::uint64_t cancels = 0;
  std::uint64_t connections_lost = 0;
};

struct PoolGauges {
  std::size_t connecting = 0;
  std::size_t ready = 0;
  std::size_t busy = 0;  // of the ready ones
  std::size_t queued = 0;
  std::size_t in_flight = 0;
  Duration oldest_wait{};
};

class ConnectionPool final : private UpstreamObserver, private SenderOwner {
 public:
  ConnectionPool(PoolConfig config, UpstreamFactory* factory, EventLoop* loop,
                 PoolObserver* observer, std::uint32_t seed);
  ~ConnectionPool() override;
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  // The sink is answered once, later. The returned ticket is good until then.
  Work* Submit(std::shared_ptr<TableBinding> binding, std::string_view key, LookupSink* sink);
  // The sink of `ticket` is gone and must not be called.
  void Abandon(Work* ticket);
  // Whether no server can have seen the lookup yet, not even in a try that failed.
  static bool Unsent(const Work* ticket) { return ticket->sent == Time{}; }

  // New settings; the connection limit takes effect as connections become idle.
  void SetSettings(const config::PoolSettings& settings);

  // What is prepared is not used any more: every statement is prepared anew.
  void ForgetStatements();

  const std::string& name() const { return config_.name; }
  const config::PoolSettings& settings() const { return config_.settings; }
  const HostSet& hosts() const { return hosts_; }
  std::size_t InFlight() const;  // on all connections
  std::size_t InFlightOn(std::size_t host) const;
  PoolCounters counters() const;
  PoolGauges Gauges() const;
  // Nothing waits and nothing is in flight.
  bool Quiet() const { return queues_.empty() && InFlight() == 0 && parked_.empty(); }
  // What is kept for lookups and questions of the pool's own that are not over; 0 when Quiet().
  std::size_t WorkInUse() const { return works_.in_use(); }

 private:
  // Why a connection ended before everything on it was answered.
  enum class Loss {
    kPerhapsHost,   // the host may be to blame, or the oldest statement
    kSessionEnded,  // the server ended this session for its own sake: the host is not to blame
    kSessionStuck,  // after an error, which its statement has been told
  };
  enum class SessionFate { kGoesOn, kStuck };  // the worse one is greater

  // UpstreamObserver
  void OnReady(UpstreamConnection* upstream) override;
  void OnConnectFailed(UpstreamConnection* upstream, const ConnectionFault& failure) override;
  void OnResult(UpstreamConnection* upstream, Work* work, const StatementResult& result) override;
  void OnAllAnswered(UpstreamConnection* upstream) override;
  void OnNoPooler(UpstreamConnection* upstream) override;
  void OnOutdated(UpstreamConnection* upstream) override;
  void OnLost(UpstreamConnection* upstream, const ConnectionFault& why) override;

  PoolConnection& Find(UpstreamConnection* upstream);
  void Move(PoolConnection& connection, PoolConnection::Phase phase);
  void DropConnection(PoolConnection& connection, const std::string& reason,
                      Loss loss = Loss::kPerhapsHost);
  void FailHost(PoolHost& host, HostHealth::FailureKind kind, const std::string& reason,
                Duration took);

  using Queue = WorkQueues::Queue;

  // SenderOwner
  Work* NewWork(Work::Kind kind, std::shared_ptr<TableBinding> binding) override;
  void Recycle(Work* work) override;
  void Enqueue(Work* work);  // in the order of submission
  void AnswerWork(Work* work, const Answer& answer);
  // The lookup that a work is a try of, which is the work itself unless it is a second one.
  static Work* Asked(Work* work) { return work->first != nullptr ? work->first : work; }
  // Somebody waits for it.
  static bool Awaited(const Work& work);
  void Unlink(Work* work);
  // Answers kRetry; a question to the catalogue is asked again with the next lookup.
  void GiveUp(Work* work, std::string_view reason);
  // Puts it into the queue again. False when nobody wants it or no host can take it; it is then
  // answered, and the caller's.
  bool RunAgain(Work* work, std::string_view reason);
  void Classify(const std::shared_ptr<TableBinding>& binding);

  void ScheduleDispatch();
  void Dispatch();
  std::size_t Usable() const;
  std::size_t Wanted() const;
  void Reline(TableBinding* binding);
  PoolView View() const;
  PoolConnection* Choose(const Work& work, Placement::Among among = Placement::Among::kAll);
  void SendQuick();
  void SendSlow();
  void SendOwn();
  void SendAgain(Queue queue);
  void SendToOwners();
  void SendOwnLine(Line line);
  bool OwnsConnection(const TableBinding& binding) const;
  void SendShort(PoolConnection& connection, Work* work);
  void NoteHeldUp(const Work& work);
  bool SendInLane(Work* work);
  bool SendSlowAgain(Line line);
  bool SendSlowLine(Line line);
  void SendMoreSlow(Line line);
  bool QuickLookupsAreAbout() const;
  void MeasureService(PoolConnection& connection, const Work& work, Time now);
  void MeasureBatch(const PoolConnection& connection, const Work& first, Duration taken);
  template <typename Change>
  void MeasureOne(const Work& work, Change change);
  bool SharersAreAbout() const;
  void AskCatalogues();
  void SendStamp(PoolConnection& connection);
  void LearnStamp(std::size_t host, Time asked, std::uint64_t stamp);
  void FinishStamp(const PoolConnection& connection, const Work& work,
                   const StatementResult& result);
  void MakeSessionRoom(std::size_t host, std::size_t* open);
  void SendWork(PoolConnection& connection, Work* work);
  void CountSent(PoolConnection& connection, Work* work) override;
  void CountBack(PoolConnection& connection, Work* work);
  void SyncAll();
  void Rebalance();
  void OpenConnections();
  std::size_t OverdueConnects();
  bool MakeRoom();
  bool CloseUntested(std::size_t host);
  void OpenConnection(std::size_t host);
  void FailUnservable();
  void ShedLoad();
  void RemoveClosed();

  void NoteAlive(PoolConnection& connection, Time now);
  void ChargeLoss(const PoolConnection& connection, Work* work);
  static void TakeBackAttempt(const PoolConnection& connection, Work* work);
  void HandleRows(const PoolConnection& connection, Work* work, const RowSource& rows);
  AnswerOrigin OriginOf(const PoolConnection& connection, const Work& work, std::size_t rows) const;
  SessionFate HandleError(PoolConnection& connection, Work* work, const StatementResult& result);
  void RefuseParameters(PoolConnection& connection, Work* work, const StatementResult& result);
  void HandlePreparedError(PoolConnection& connection, Work* work, const StatementResult& result);
  SessionFate HandlePrepareError(PoolConnection& connection, Work* work,
                                 const StatementResult& result);
  void OnStatementVanished(PoolConnection& connection, const Work& work);
  void FinishClassify(const PoolConnection& connection, Work* work, const StatementResult& result);

  void Tick();
  std::string WhyItWaited(Time now) const;
  void ExpireQueued(Time now);
  void ExpireLookups(Time now);
  void GiveUpWaiting(Work* work, Time now);
  void ExpireStatements(Time now);
  void StartCancel(PoolConnection& connection, Time now);
  void AskAboutSilence(Time now);
  void AskCatalogueAgain(const PoolConnection& connection);
  void OnSilence(PoolConnection& connection, Time now);
  bool MayAskElsewhere(const Work& work) const;
  bool AskElsewhere(Work* work, bool may_make_room);
  void AskOfOthers(const PoolConnection& connection);
  void Hedge(Time now);
  bool DropSilent(std::optional<std::size_t> host);
  void DropSuspects(std::size_t host, const std::string& reason);
  void CloseIdle(Time now);
  void CloseConnection(PoolConnection& connection);
  void ArmTimer();

  PoolConfig config_;
  HostSet hosts_;
  UpstreamFactory* const factory_;
  EventLoop* const loop_;
  PoolObserver* const observer_;
  std::minstd_rand random_;
  std::vector<std::unique_ptr<PoolConnection>> connections_;
  WorkStore works_;
  WorkQueues queues_;
  LookupDeadlines deadlines_;  // of lookups that somebody waits for
  SessionRules rules_;
  Placement placement_;
  Lanes lanes_;
  bool asks_catalogue_ = false;  // some table depends on it
  // Questions to catalogues, PREPAREs and the like that are not over: no connection is opened for
  // them.
  std::size_t own_work_ = 0;
  // A host without connections that a work which was sent before waits for, in this turn.
  std::optional<std::size_t> host_needed_;
  Time last_shared_{};          // when a lookup that shares its session was sent last
  Time last_quick_{};           // when a quick lookup was sent last
  bool slow_are_next_ = false;  // a quick lookup was sent last, while slow ones waited
  WorkList parked_;             // failed, but a second one is under way
  std::size_t hedgeable_ = 0;   // in flight, of tables that hedge
  std::uint64_t last_connection_ = 0;
  std::uint64_t last_sequence_ = 0;
  std::unique_ptr<Timer> timer_;
  std::optional<Time> next_tick_;  // when timer_ runs out
  std::size_t depth_ = 1;          // see ConnectionBudget::Depth(), of this turn
  std::unique_ptr<TurnTask> dispatch_;
  std::uint64_t dispatches_ = 0;
  std::size_t overdue_connects_ = 0;
  bool reruns_wait_ = false;  // something that was sent before found no connection in this turn
  std::string last_failure_ = "no database host could be connected to yet";
  StatementSender sender_{this};
  std::string value_;  // of the lookup that is being answered; keeps its capacity
  PoolCounters counters_;
};

}  // namespace proxymux::pgsql
