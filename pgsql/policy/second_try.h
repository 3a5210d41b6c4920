// Which lookups may be asked of a second host while the first one owes the answer, and whether
// there is a host for that. Pure; who does so, and when, is SecondAsking's.
#pragma once

#include "pgsql/host/host_set.h"
#include "pgsql/policy/session_rules.h"
#include "pgsql/work/work.h"

namespace proxymux::pgsql {

class SecondTry {
 public:
  // Somebody waits for it, it is known to read only, and it is not asked twice already.
  static bool MayBeAsked(const Work& lookup, const SessionRules& rules);

  enum class Connections {
    kMayBeOpened,  // there is room for one, or room may be made
    kOpenOnes,
  };
  // Some host that the lookup was not sent to may take it.
  static bool HasHost(const Work& lookup, const HostSet& hosts, Connections connections);
};

}  // namespace proxymux::pgsql
