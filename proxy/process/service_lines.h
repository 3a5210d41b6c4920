// What master.cf makes of this program: which services it is, what is wrong with their lines, and
// why one of them does not run. Pure, but for LookForMaster().
#pragma once

#include <string>
#include <vector>

#include "config/postfix/master_cf.h"
#include "config/values/diagnostic.h"

namespace proxymux::proxy {

// The lines by which master(8) runs this program, in the file's order, of whatever type. They are
// `master_cf`'s.
std::vector<const config::MasterService*> OurServices(const config::MasterCf& master_cf);

// Findings: services that are defined more than once; a line of ours that an upgrade of Postfix
// would push aside, or whose fields are not what the program needs (master(5)).
// `chroot_by_default`: what `-` means in that field, as with a compatibility_level below 1.
std::vector<config::Diagnostic> CheckServiceLines(const config::MasterCf& master_cf,
                                                  bool chroot_by_default = false);

enum class MasterState { kRuns, kDoesNotRun, kUnknown };

// By the lock that master(8) has on its file in the queue directory.
MasterState LookForMaster(const std::string& queue_directory);

// Why nobody listens where a service's admin listener should be. `wanted` is the service's name;
// empty: any of ours.
std::string WhyNobodyListens(const config::MasterCf& master_cf, const std::string& wanted,
                             MasterState master);

}  // namespace proxymux::proxy
