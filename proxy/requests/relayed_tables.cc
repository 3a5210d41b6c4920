#include "proxy/requests/relayed_tables.h"

namespace proxymux::proxy {

RelayWork* RelayedTables::Asked(std::string_view table) {
  auto at = tables_.find(table);
  if (at == tables_.end()) at = tables_.emplace(table, RelayWork()).first;
  ++at->second.requests;
  return &at->second;
}

std::vector<RelayedTable> RelayedTables::All() const {
  std::vector<RelayedTable> all;
  for (const auto& [name, work] : tables_) all.push_back({work, name});
  return all;
}

}  // namespace proxymux::proxy
