#include "proxy/survey/session_limits.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>

namespace proxymux::proxy {
namespace {

// Of one server, role or database.
struct Demand {
  const CheckedServer* first = nullptr;
  long long limit = 0;
  long long wanted = 0;
  std::set<std::string> pools{};  // each has so many in all, by however many names it comes here

  void Add(const CheckedServer& server, long long allowed) {
    if (first == nullptr) first = &server;
    limit = allowed;
    if (pools.insert(server.pool).second) wanted += server.proxymux;
  }
  std::string Pools() const {
    std::string text = pools.size() == 1 ? "pool" : "pools";
    const char* separator = " ";
    for (const std::string& pool : pools) {
      text += separator + pool;
      separator = ", ";
    }
    return text;
  }
};

}  // namespace

std::vector<config::Diagnostic> CheckSessionLimits(const std::vector<CheckedServer>& servers) {
  using Of = std::tuple<std::string, std::string, std::string>;  // place, what, its name
  std::map<Of, Demand> demands;
  for (const CheckedServer& server : servers) {
    if (!server.facts.has_value() || server.pooler) continue;
    const pgsql::ServerFacts& facts = *server.facts;
    demands[{server.place, "", ""}].Add(server,
                                        std::max(0, facts.max_connections - facts.reserved));
    if (facts.role_limit >= 0) {
      demands[{server.place, "role ", facts.role}].Add(server, facts.role_limit);
    }
    if (facts.database_limit >= 0) {
      demands[{server.place, "database ", facts.database}].Add(server, facts.database_limit);
    }
  }
  std::vector<config::Diagnostic> findings;
  for (const auto& [of, demand] : demands) {
    if (demand.wanted <= demand.limit) continue;
    const auto& [place, what, name] = of;
    config::Diagnostic& finding = findings.emplace_back();
    finding.file = demand.first->file;
    finding.line = demand.first->line;
    finding.severity = config::Severity::kError;
    finding.text = "host " + demand.first->host + " allows " +
                   (what.empty() ? "" : "the " + what + name + " ") + std::to_string(demand.limit) +
                   " sessions, and the " + demand.Pools() + " may want " +
                   std::to_string(demand.wanted);
    finding.hint = "lower connections in proxymux.yaml, or raise the limit at the server (" +
                   std::string(what.empty() ? "max_connections" : "CONNECTION LIMIT") + ")";
  }
  return findings;
}

}  // namespace proxymux::proxy
