// How often one lookup was sent to each host of its pool, and what follows: which host may have it
// now, and whether any may.
//
// To one host it is sent twice at most: once, and once more when that try came to nothing. Another
// host that was not tried yet comes first. Pure: what the hosts are like comes in.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "pgsql/host/host_set.h"
#include "pgsql/runtime/event_loop.h"

namespace proxymux::pgsql {

class Attempts {
 public:
  static constexpr std::uint8_t kPerHost = 2;

  void Reset(std::size_t hosts);
  void Count(std::size_t host) { ++Counts()[host]; }
  void TakeBack(std::size_t host);  // it was not run there after all
  // The connection that it was sent on was lost, perhaps to its account; `latest` is the number of
  // the connection that was opened last. A server that goes away ends one connection after the
  // other: where no other host is left to go to, the last attempt is not used up on those that were
  // there already when the first one was lost.
  void ChargeLoss(std::size_t host, std::uint64_t connection, std::uint64_t latest,
                  const HostSet& hosts);
  // It has failed for the host's sake on a connection that stays. Nor is the last attempt used up
  // by that, once, where the connection was there at the first loss: a pooler whose server goes
  // away ends one session and answers with an error on another.
  void ForgiveErrorAfterLoss(std::size_t host, std::uint64_t connection, const HostSet& hosts);
  // Its connection was given up for being silent, which may be the lookup's own doing: no second
  // connection is given up for its sake.
  void NoteSilence() { was_silent_ = true; }
  bool was_silent() const { return was_silent_; }
  void Exhaust(std::size_t host) { Counts()[host] = kPerHost; }
  // Its next try is not made before `until`: at once it would fail as the last one did.
  void Pause(Time until) { not_before_ = until; }
  bool Pauses(Time now) const { return now < not_before_; }
  // For the second try of a lookup: it goes to none of the hosts that have the first one.
  void ExhaustTriedOf(const Attempts& first);

  std::uint8_t on(std::size_t host) const { return Counts()[host]; }
  bool any() const;

  // It should not go to `host`, but to another one, or to none.
  bool PrefersOther(std::size_t host, const HostSet& hosts) const;
  bool UntriedMayServe(const HostSet& hosts) const;
  bool MayYetBeServed(const HostSet& hosts) const;
  // The host that it waits for although nobody connects to it; none when it only waits for its
  // turn.
  std::optional<std::size_t> NeededHost(const HostSet& hosts) const;

 private:
  // Few pools have more hosts than that: theirs are found without another line of memory.
  static constexpr std::size_t kFew = 8;

  std::span<std::uint8_t> Counts() { return {hosts_ <= kFew ? few_.data() : many_.get(), hosts_}; }
  std::span<const std::uint8_t> Counts() const {
    return {hosts_ <= kFew ? few_.data() : many_.get(), hosts_};
  }

  std::size_t hosts_ = 0;
  std::array<std::uint8_t, kFew> few_{};  // by host
  std::unique_ptr<std::uint8_t[]> many_;  // instead of few_
  bool was_silent_ = false;
  bool error_forgiven_ = false;
  Time not_before_{};
  std::uint64_t lost_among_ = 0;  // the latest connection at the first loss; 0: none yet
};

}  // namespace proxymux::pgsql
