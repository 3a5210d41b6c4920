// The approved pgsql tables as the service would load them, and what is wrong with each of them, as
// far as files tell.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "pgsql/libpq/pg_conninfo.h"
#include "proxy/check/file_readers.h"
#include "proxy/check/findings.h"
#include "proxy/tables/service_config.h"
#include "proxy/tables/table_loader.h"

namespace proxymux::proxy {

struct CheckedTable {
  std::string name;    // "pgsql:/path" or "pgsql:prefix"
  LoadedTable loaded;  // without a binding when there is an error
  // How its hosts are reached, in their order; those that cannot be are left out.
  std::vector<pgsql::ConnectPlan> plans;

  const std::string& file() const { return loaded.file; }
  int LineOf(std::string_view setting, std::size_t offset = 0) const {
    return loaded.source.LineOf(setting, offset);
  }
  // Of what a plan has from `setting`, which does not count where a connection string does.
  int LineOf(const pgsql::ConnectPlan& plan, std::string_view setting) const;
};

// Every pgsql table among the approved ones. `settings_file` is proxymux.yaml.
std::vector<CheckedTable> CheckTables(const TableLoader& loader, const ServiceConfig& config,
                                      const std::set<std::string, std::less<>>& approved,
                                      const std::string& settings_file, Findings* findings);

// What the service, and libpq for it, reads because of these tables.
std::vector<ServiceFile> FilesOf(const std::vector<CheckedTable>& tables,
                                 const std::string& settings_file);

}  // namespace proxymux::proxy
