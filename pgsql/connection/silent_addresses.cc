#include "pgsql/connection/silent_addresses.h"

#include <chrono>

namespace proxymux::pgsql {
namespace {

// Then it has its old place among the others again: the order is the administrator's.
constexpr Duration kRemembered = std::chrono::seconds(30);

}  // namespace

void SilentAddresses::Add(const std::string& address, Time now) {
  std::erase_if(silent_, [now](const auto& one) { return now - one.second >= kRemembered; });
  silent_.insert_or_assign(address, now);
}

bool SilentAddresses::Has(const std::string& address, Time now) const {
  const auto found = silent_.find(address);
  return found != silent_.end() && now - found->second < kRemembered;
}

}  // namespace proxymux::pgsql
