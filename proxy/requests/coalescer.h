// Equal lookups in flight share one flight: the first lookup asks the pool, and those that come
// while it is under way wait for the same answer.
//
// Equal means the same version of the same table and the same folded key. Only statements that are
// known to change nothing are shared, and only where the table's settings allow it: while they are
// under way (`in_flight`), or until they are sent to a server (`unsent`). A flight whose statement
// was sent 50 ms and its table's usual time ago is not joined any more: its server may have stopped
// answering.
//
// An answer is kept in the table's cache, if the table has one. When every host is down and the
// cache holds an older answer that the table allows to be given then (stale_if_error), all who wait
// get that one. Pure but for the pool that it submits to and the loop's time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pgsql/pool/connection_pool.h"
#include "pgsql/runtime/event_loop.h"
#include "pgsql/work/intrusive_list.h"
#include "pgsql/work/table_binding.h"
#include "pgsql/work/work.h"
#include "proxy/requests/flight_table.h"
#include "proxy/tables/answer_cache.h"

namespace proxymux::proxy {

// What a server said some time ago, given because no server can be asked now.
struct StaleAnswer {
  pgsql::Answer answer;    // found or not found, as if a server had said it now
  pgsql::Duration age{};   // since it was asked
  std::string_view cause;  // why no server can be asked
};

class Coalescer {
 public:
  class Flight;

  // Somebody who waits for an answer. Must be cancelled before it is destroyed while it waits.
  class Waiter {
   public:
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

    // Once per Lookup that was not cancelled, never from inside it. May look up again; must not
    // cancel another waiter.
    virtual void OnAnswer(const pgsql::Answer& answer) = 0;
    // Instead of OnAnswer, and under the same rules. Only with a cache that keeps such answers.
    virtual void OnStaleAnswer(const StaleAnswer& stale) { OnAnswer(stale.answer); }
    bool waiting() const { return flight_ != nullptr; }

   protected:
    Waiter() = default;
    virtual ~Waiter();

   private:
    friend class Coalescer;
    Flight* flight_ = nullptr;
    pgsql::ListHook<Waiter> place_;  // among those of its flight
  };

  explicit Coalescer(const pgsql::EventLoop* loop);
  ~Coalescer();
  Coalescer(const Coalescer&) = delete;
  Coalescer& operator=(const Coalescer&) = delete;

  enum class Started { kAsked, kJoined };

  // `cache`: that of this version of the table; null: answers are not kept.
  Started Lookup(const std::shared_ptr<pgsql::TableBinding>& binding,
                 const std::shared_ptr<pgsql::ConnectionPool>& pool, std::string_view folded_key,
                 Waiter* waiter, const std::shared_ptr<AnswerCache>& cache = nullptr);
  void Cancel(Waiter* waiter);

  // Answers every waiter so, now: the process has to end.
  void AnswerAll(const pgsql::Answer& answer);

  std::size_t flights() const { return flights_.size(); }

 private:
  using Waiters = pgsql::IntrusiveList<Waiter, &Waiter::place_>;

  // The flight that may be joined; null: there is none.
  Flight* FindShared(const pgsql::TableBinding& binding, std::string_view folded_key,
                     std::uint64_t hash);
  // Nobody else may join it from now on.
  void StopSharing(Flight* flight);
  void Keep(const Flight& flight, const pgsql::Answer& answer);
  Flight* NewFlight();
  void Release(Flight* flight);
  void Finish(Flight* flight, const pgsql::Answer& answer);
  // It waits until some host is back: those who wait for it get the older answer, if there is one.
  void OnOutage(Flight* flight, std::string_view reason);
  // The older answer to give while every host is down; nothing: there is none. The view is the
  // cache's.
  std::optional<AnswerCache::Aged> StaleFor(const Flight& flight) const;
  void GiveStale(Flight* flight, const AnswerCache::Aged& known, std::string_view cause);
  void Join(Flight* flight, Waiter* waiter);
  static void Leave(Waiter* waiter);
  // Takes the flight out of the table and tells everybody who waits for it.
  template <typename Tell>
  void End(Flight* flight, Tell tell);

  const pgsql::EventLoop* const loop_;
  FlightTable<Flight> flights_;
  std::vector<std::unique_ptr<Flight>> spare_;
};

}  // namespace proxymux::proxy
