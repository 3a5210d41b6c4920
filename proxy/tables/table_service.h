// Keeps the pgsql tables as their files say: loads them at the start, again when a file changes or
// the settings are reloaded, and keeps the version in use when a new one is broken.
//
// Settings that are reloaded reach every table: a version that stays in use, because its file
// cannot be read or is broken now, is made anew from what its files held. When the settings
// themselves say that it must not be used, it is not.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "proxy/log/message_log.h"
#include "proxy/tables/file_watch.h"
#include "proxy/tables/service_config.h"
#include "proxy/tables/table_loader.h"
#include "proxy/tables/table_registry.h"

namespace proxymux::proxy {

class TableService {
 public:
  // All must outlive it.
  TableService(TableRegistry* registry, const TableLoader* loader, pgsql::EventLoop* loop,
               MessageLog* log);

  // Every approved pgsql table; the only time that files are read with the privileges of the start.
  void LoadAll(std::shared_ptr<const ServiceConfig> config);
  // From here on files are looked at.
  void StartWatching();
  // Other settings: every table is loaded anew. The names of those whose files say something else
  // now, and are used so.
  std::vector<std::string> Reload(std::shared_ptr<const ServiceConfig> config);

  // "table NAME: why", for each that is not as its file says now.
  std::vector<std::string> Faults() const;

 private:
  // The pools of every table, but for `except`.
  std::set<std::string> PoolNames(const std::string& except) const;
  void RefuseMisnamedSection(LoadedTable* loaded, const std::set<std::string>& pools) const;
  std::vector<std::string> ReadAll();  // as Reload()
  // What the version in use was read from; nothing when there never was one.
  const KeptFiles* InUse(const std::string& name) const;
  // A new version, or why there is none. `kept`: the version in use, made anew for other settings.
  // True: the files say something else than those of the version before.
  bool Apply(ServedTable* table, LoadedTable loaded, std::optional<LoadedTable> kept);
  void LogDiagnostics(const ServedTable& table, const LoadedTable& loaded);
  void OnFilesChanged(const std::set<std::string>& files);
  void WatchFiles();

  TableRegistry* const registry_;
  const TableLoader* const loader_;
  MessageLog* const log_;
  std::shared_ptr<const ServiceConfig> config_;
  std::map<std::string, std::map<std::string, FileSignature>> files_;  // by table
  std::map<std::string, KeptFiles> in_use_;  // by table: what its version in use was read from
  FileWatch watch_;
};

}  // namespace proxymux::proxy
