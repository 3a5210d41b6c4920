#include "pgsql/policy/second_try.h"

#include "pgsql/host/host_health.h"
#include "pgsql/work/table_binding.h"
#include "pgsql/work/twin_lookups.h"

namespace proxymux::pgsql {

bool SecondTry::MayBeAsked(const Work& lookup, const SessionRules& rules) {
  return lookup.kind == Work::Kind::kLookup && lookup.sink != nullptr &&
         !TwinLookups::HasSecond(lookup) && !lookup.needs.script && !lookup.needs.may_write &&
         rules.Known(*lookup.binding) && lookup.binding->write_class == WriteClass::kReads;
}

bool SecondTry::HasHost(const Work& lookup, const HostSet& hosts, Connections connections) {
  for (std::size_t index = 0; index < hosts.size(); ++index) {
    const PoolHost& host = hosts[index];
    if (lookup.attempts.on(index) > 0 || !hosts.MayServe(index)) continue;
    if (connections == Connections::kOpenOnes && host.ready == 0) continue;
    if (host.health.state() != HostHealth::State::kSuspect) return true;
  }
  return false;
}

}  // namespace proxymux::pgsql
