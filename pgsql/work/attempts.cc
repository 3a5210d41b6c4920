#include "pgsql/work/attempts.h"

#include <algorithm>

namespace proxymux::pgsql {

void Attempts::TakeBack(std::size_t host) {
  if (counts_[host] > 0) --counts_[host];
}

void Attempts::ChargeLoss(std::size_t host, std::uint64_t connection, std::uint64_t latest) {
  if (counts_.size() == 1 && counts_[host] > 1 && connection <= lost_among_) {
    TakeBack(host);
  } else if (lost_among_ == 0) {
    lost_among_ = latest;
  }
}

void Attempts::ExhaustTriedOf(const Attempts& first) {
  for (std::size_t host = 0; host < counts_.size(); ++host) {
    if (first.counts_[host] > 0) Exhaust(host);
  }
}

bool Attempts::any() const {
  return std::ranges::any_of(counts_, [](std::uint8_t count) { return count > 0; });
}

bool Attempts::PrefersOther(std::size_t host, const HostSet& hosts) const {
  if (counts_[host] == 0) return false;
  if (counts_[host] >= kPerHost) return true;
  for (std::size_t other = 0; other < counts_.size(); ++other) {
    // Nobody waits for one that is being put to the test, if it can be helped.
    if (hosts[other].health.state() == HostHealth::State::kSuspect) continue;
    if (counts_[other] == 0 && hosts.MayServe(other)) return true;
  }
  return false;
}

bool Attempts::UntriedMayServe(const HostSet& hosts) const {
  for (std::size_t host = 0; host < counts_.size(); ++host) {
    if (counts_[host] == 0 && hosts.MayServe(host)) return true;
  }
  return false;
}

bool Attempts::MayYetBeServed(const HostSet& hosts) const {
  for (std::size_t host = 0; host < counts_.size(); ++host) {
    if (counts_[host] < kPerHost && hosts.MayServe(host)) return true;
  }
  return false;
}

std::optional<std::size_t> Attempts::NeededHost(const HostSet& hosts) const {
  std::optional<std::size_t> needed;
  for (std::size_t host = 0; host < counts_.size(); ++host) {
    if (PrefersOther(host, hosts) || !hosts.MayServe(host)) continue;
    if (hosts[host].ready > 0 || hosts[host].connecting > 0) return std::nullopt;
    if (!needed.has_value()) needed = host;
  }
  return needed;
}

}  // namespace proxymux::pgsql
