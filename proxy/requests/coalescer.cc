#include "proxy/requests/coalescer.h"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <functional>

namespace proxymux::proxy {
namespace {

constexpr std::size_t kSpareFlights = 1024;

// Whoever joins a lookup waits for the server that it was sent to. One that takes so much longer
// than its table usually does is not joined any more: that server may have stopped answering.
constexpr pgsql::Duration kLate = std::chrono::milliseconds(50);

constexpr std::uint64_t kSpread = 0x9E3779B97F4A7C15u;  // makes bits of an address reach all others

std::uint64_t HashOf(const void* address) {
  const std::uint64_t product = std::hash<const void*>()(address) * kSpread;
  return product ^ (product >> 32);
}

// Of what is asked: equal for equal lookups.
std::uint64_t HashOf(const pgsql::TableBinding& binding, std::string_view folded_key) {
  return std::hash<std::string_view>()(folded_key) ^ HashOf(&binding);
}

}  // namespace

// One lookup under way. Owned by the coalescer, in its table, until Release.
class Coalescer::Flight final : public pgsql::LookupSink {
 public:
  explicit Flight(Coalescer* coalescer) : coalescer_(coalescer) {}

  void OnAnswer(const pgsql::Answer& answer) override { coalescer_->Finish(this, answer); }
  void OnOutage(std::string_view reason) override { coalescer_->OnOutage(this, reason); }
  bool HasStaleAnswer() const override { return coalescer_->StaleFor(*this).has_value(); }

  std::shared_ptr<pgsql::TableBinding> binding;
  std::shared_ptr<pgsql::ConnectionPool> pool;
  std::shared_ptr<AnswerCache> cache;
  std::string key;
  bool shared = false;  // others may join
  // Of what it asks, if it is shared; otherwise of its address: many that ask the same do not get
  // into each other's way.
  std::uint64_t hash = 0;
  pgsql::Work* ticket = nullptr;
  Waiters waiters;  // in the order in which they came

 private:
  Coalescer* const coalescer_;
};

Coalescer::Waiter::~Waiter() { assert(flight_ == nullptr); }

Coalescer::Coalescer(const pgsql::EventLoop* loop) : loop_(loop) {}

Coalescer::~Coalescer() { assert(flights_.size() == 0); }

Coalescer::Flight* Coalescer::NewFlight() {
  if (spare_.empty()) spare_.push_back(std::make_unique<Flight>(this));
  Flight* flight = spare_.back().release();
  spare_.pop_back();
  return flight;
}

void Coalescer::Release(Flight* flight) {
  assert(flight->waiters.empty());
  flight->binding.reset();
  flight->pool.reset();
  flight->cache.reset();
  flight->ticket = nullptr;
  std::unique_ptr<Flight> owned(flight);
  if (spare_.size() < kSpareFlights && owned->key.capacity() <= 4096) {
    spare_.push_back(std::move(owned));
  }
}

Coalescer::Flight* Coalescer::FindShared(const pgsql::TableBinding& binding,
                                         std::string_view folded_key, std::uint64_t hash) {
  Flight* const flight = flights_.Find(hash, [&](const Flight& other) {
    return other.shared && other.binding.get() == &binding && other.key == folded_key;
  });
  if (flight == nullptr) return nullptr;
  const bool sent = !pgsql::ConnectionPool::Unsent(flight->ticket);
  const pgsql::ServiceTime& service = binding.service_time;
  const pgsql::Duration usual = service.known() ? service.average() : pgsql::Duration::zero();
  const bool late = sent && loop_->Now() - flight->ticket->sent >= kLate + usual;
  if (late || (sent && binding.settings.coalesce == config::Coalesce::kUnsent)) {
    StopSharing(flight);
    return nullptr;
  }
  return flight;
}

void Coalescer::StopSharing(Flight* flight) {
  flights_.Erase(flight->hash, flight);
  flight->shared = false;
  flight->hash = HashOf(flight);
  flights_.Insert(flight->hash, flight);
}

Coalescer::Started Coalescer::Lookup(const std::shared_ptr<pgsql::TableBinding>& binding,
                                     const std::shared_ptr<pgsql::ConnectionPool>& pool,
                                     std::string_view folded_key, Waiter* waiter,
                                     const std::shared_ptr<AnswerCache>& cache) {
  assert(waiter->flight_ == nullptr);
  const bool may_share = binding->write_class == pgsql::WriteClass::kReads &&
                         binding->settings.coalesce != config::Coalesce::kOff;
  std::uint64_t hash = 0;
  if (may_share) {
    hash = HashOf(*binding, folded_key);
    if (Flight* const shared = FindShared(*binding, folded_key, hash)) {
      Join(shared, waiter);
      return Started::kJoined;
    }
  }
  Flight* flight = NewFlight();
  flight->binding = binding;
  flight->pool = pool;
  flight->cache = cache;
  flight->key = folded_key;
  flight->shared = may_share;
  flight->hash = may_share ? hash : HashOf(flight);
  flights_.Insert(flight->hash, flight);
  Join(flight, waiter);
  flight->ticket = pool->Submit(binding, folded_key, flight);
  return Started::kAsked;
}

void Coalescer::Join(Flight* flight, Waiter* waiter) {
  flight->waiters.PushBack(waiter);
  waiter->flight_ = flight;
}

void Coalescer::Leave(Waiter* waiter) {
  Waiters::Remove(waiter);
  waiter->flight_ = nullptr;
}

void Coalescer::Cancel(Waiter* waiter) {
  Flight* flight = waiter->flight_;
  if (flight == nullptr) return;
  Leave(waiter);
  if (!flight->waiters.empty()) return;
  flights_.Erase(flight->hash, flight);
  flight->pool->Abandon(flight->ticket);
  Release(flight);
}

void Coalescer::AnswerAll(const pgsql::Answer& answer) {
  // What a waiter asks from its callback is a new flight, which is not among these.
  std::vector<Flight*> all = flights_.All();
  std::ranges::sort(all, {}, [](const Flight* flight) { return flight->ticket->sequence; });
  for (Flight* flight : all) {
    flight->pool->Abandon(flight->ticket);
    Finish(flight, answer);
  }
}

void Coalescer::Keep(const Flight& flight, const pgsql::Answer& answer) {
  // What no server said costs nothing to find out again.
  if (flight.cache == nullptr || answer.origin.host.empty()) return;
  // Where it is not known yet whether the query writes, the answer is used only once it is known
  // not to.
  if (flight.binding->write_class == pgsql::WriteClass::kMayWrite) return;
  switch (answer.outcome) {
    case pgsql::Outcome::kFound:
    case pgsql::Outcome::kNotFound:
      flight.cache->Keep(flight.key, answer.value, answer.origin.asked, loop_->RealNow());
      return;
    case pgsql::Outcome::kRetry:
    case pgsql::Outcome::kConfig:
      return;
  }
}

std::optional<AnswerCache::Aged> Coalescer::StaleFor(const Flight& flight) const {
  if (flight.cache == nullptr) return std::nullopt;
  if (flight.binding->write_class != pgsql::WriteClass::kReads) return std::nullopt;
  return flight.cache->FindStale(flight.key, loop_->RealNow());
}

template <typename Tell>
void Coalescer::End(Flight* flight, Tell tell) {
  // Out of the table first: an equal lookup that a waiter makes from its callback is a new
  // question.
  flights_.Erase(flight->hash, flight);
  while (Waiter* const waiter = flight->waiters.front()) {
    Leave(waiter);  // first: it may look up again, and then stands among those of another flight
    tell(waiter);
  }
  Release(flight);
}

void Coalescer::GiveStale(Flight* flight, const AnswerCache::Aged& known, std::string_view cause) {
  // A copy: what waiters ask from their callbacks goes through the same cache.
  const std::string value(known.value);
  const pgsql::Outcome outcome = value.empty() ? pgsql::Outcome::kNotFound : pgsql::Outcome::kFound;
  const StaleAnswer stale{{outcome, value, {}}, known.age, cause};
  End(flight, [&stale](Waiter* waiter) { waiter->OnStaleAnswer(stale); });
}

void Coalescer::OnOutage(Flight* flight, std::string_view reason) {
  const auto known = StaleFor(*flight);
  if (!known.has_value()) return;
  flight->pool->Abandon(flight->ticket);
  GiveStale(flight, *known, reason);
}

void Coalescer::Finish(Flight* flight, const pgsql::Answer& answer) {
  if (const auto known = answer.no_host ? StaleFor(*flight) : std::nullopt) {
    GiveStale(flight, *known, answer.reason);
    return;
  }
  Keep(*flight, answer);
  pgsql::Answer told = answer;
  told.key = flight->key;
  End(flight, [&told](Waiter* waiter) { waiter->OnAnswer(told); });
}

}  // namespace proxymux::proxy
