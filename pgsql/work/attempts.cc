#include "pgsql/work/attempts.h"

#include <algorithm>

namespace proxymux::pgsql {

void Attempts::Reset(std::size_t hosts) {
  if (hosts > kFew && hosts > hosts_) many_ = std::make_unique<std::uint8_t[]>(hosts);
  hosts_ = hosts;
  std::ranges::fill(Counts(), 0);
  lost_among_ = 0;
  was_silent_ = error_forgiven_ = false;
  not_before_ = {};
}

void Attempts::TakeBack(std::size_t host) {
  if (on(host) > 0) --Counts()[host];
}

void Attempts::ChargeLoss(std::size_t host, std::uint64_t connection, std::uint64_t latest,
                          const HostSet& hosts) {
  if (on(host) > 1 && connection <= lost_among_ && hosts.Alone(host)) {
    TakeBack(host);
  } else if (lost_among_ == 0) {
    lost_among_ = latest;
  }
}

void Attempts::ForgiveErrorAfterLoss(std::size_t host, std::uint64_t connection,
                                     const HostSet& hosts) {
  if (on(host) > 1 && connection <= lost_among_ && hosts.Alone(host) && !error_forgiven_) {
    TakeBack(host);
    error_forgiven_ = true;
  }
}

void Attempts::ExhaustTriedOf(const Attempts& first) {
  for (std::size_t host = 0; host < hosts_; ++host) {
    if (first.on(host) > 0) Exhaust(host);
  }
}

bool Attempts::any() const {
  return std::ranges::any_of(Counts(), [](std::uint8_t count) { return count > 0; });
}

bool Attempts::PrefersOther(std::size_t host, const HostSet& hosts) const {
  if (on(host) == 0) return false;
  if (on(host) >= kPerHost) return true;
  for (std::size_t other = 0; other < hosts_; ++other) {
    // Nobody waits for one that is being put to the test, if it can be helped.
    if (hosts[other].health.state() == HostHealth::State::kSuspect) continue;
    if (on(other) == 0 && hosts.MayServe(other)) return true;
  }
  return false;
}

bool Attempts::UntriedMayServe(const HostSet& hosts) const {
  for (std::size_t host = 0; host < hosts_; ++host) {
    if (on(host) == 0 && hosts.MayServe(host)) return true;
  }
  return false;
}

bool Attempts::MayYetBeServed(const HostSet& hosts) const {
  for (std::size_t host = 0; host < hosts_; ++host) {
    if (on(host) < kPerHost && hosts.MayServe(host)) return true;
  }
  return false;
}

std::optional<std::size_t> Attempts::NeededHost(const HostSet& hosts) const {
  std::optional<std::size_t> needed;
  for (std::size_t host = 0; host < hosts_; ++host) {
    if (PrefersOther(host, hosts) || !hosts.MayServe(host)) continue;
    if (hosts[host].ready > 0 || hosts[host].connecting > 0) return std::nullopt;
    if (!needed.has_value()) needed = host;
  }
  return needed;
}

}  // namespace proxymux::pgsql
