// Whether the sessions that pools may want are allowed: by each server, role and database, for all
// pools together that lead there. Pure.
#pragma once

#include <vector>

#include "config/values/diagnostic.h"
#include "proxy/survey/checked_server.h"

namespace proxymux::proxy {

// Servers behind a pooler are left out: how many sessions there are at them is the pooler's affair.
std::vector<config::Diagnostic> CheckSessionLimits(const std::vector<CheckedServer>& servers);

}  // namespace proxymux::proxy
