#include "proxy/table_service.h"

#include <utility>

namespace proxymux::proxy {

TableService::TableService(TableRegistry* registry, const TableLoader* loader,
                           pgsql::EventLoop* loop, MessageLog* log)
    : registry_(registry),
      loader_(loader),
      log_(log),
      watch_(loop, std::chrono::milliseconds(250),
             [this](const std::set<std::string>& files) { OnFilesChanged(files); }) {}

void TableService::LoadAll(std::shared_ptr<const ServiceConfig> config) {
  config_ = std::move(config);
  for (const std::string& name : registry_->approved()) {
    if (!TableRegistry::IsPgsql(name)) continue;
    auto table = std::make_shared<ServedTable>();
    table->name = name;
    registry_->Add(std::move(table));
  }
  ReadAll();
}

// All first, since which sections name a pool shows only when every pool is known.
void TableService::ReadAll() {
  std::map<std::string, LoadedTable> all;
  std::set<std::string> pools;
  for (const auto& [name, table] : registry_->tables()) {
    LoadedTable loaded = loader_->Load(name, *config_);
    if (loaded.pool != nullptr) pools.insert(loaded.pool->name());
    all.emplace(name, std::move(loaded));
  }
  for (auto& [name, loaded] : all) {
    RefuseMisnamedSection(&loaded, pools);
    Apply(registry_->Find(name).get(), std::move(loaded));
  }
}

void TableService::StartWatching() {
  watch_.SetInterval(config_->server().table_check_interval);
  WatchFiles();
}

void TableService::Reload(std::shared_ptr<const ServiceConfig> config) {
  config_ = std::move(config);
  ReadAll();
  StartWatching();
}

std::set<std::string> TableService::PoolNames(const std::string& except) const {
  std::set<std::string> names;
  for (const auto& [name, table] : registry_->tables()) {
    if (name != except && table->pool != nullptr) names.insert(table->pool->name());
  }
  return names;
}

void TableService::RefuseMisnamedSection(LoadedTable* loaded,
                                         const std::set<std::string>& pools) const {
  if (loaded->pool == nullptr) return;
  auto problem = config_->MisnamedSection(loaded->pool->name(), pools);
  if (!problem.has_value()) return;
  config::Diagnostic diagnostic;
  diagnostic.text = std::move(*problem);
  loaded->diagnostics.push_back(std::move(diagnostic));
  loaded->binding.reset();
  loaded->pool.reset();
}

// A file that only root may read was read at the start; at a reload it cannot be, which is no fault as long as it is the same.
bool TableService::OnlyUnreadable(const ServedTable& table, const LoadedTable& loaded) const {
  if (!loaded.unreadable || table.state != TableState::kOk) return false;
  const auto before = files_.find(table.name);
  if (before == files_.end()) return false;
  for (const auto& [path, signature] : loaded.files) {
    const auto known = before->second.find(path);
    if (known == before->second.end()) return false;
    if (signature.visible && signature != known->second) return false;
  }
  return true;
}

void TableService::Apply(ServedTable* table, LoadedTable loaded) {
  if (OnlyUnreadable(*table, loaded)) {
    table->RenewCache();
    log_->Warning("table " + table->name + ": " + loaded.Reason() +
                  "; what was read at the start stays in use (make the file readable for mail_owner)");
    return;
  }
  files_[table->name] = loaded.files;
  LogDiagnostics(*table, loaded);
  if (loaded.binding != nullptr) {
    table->binding = std::move(loaded.binding);
    table->pool = std::move(loaded.pool);
    table->state = TableState::kOk;
    table->reason.clear();
    table->RenewCache();
    return;
  }
  table->RenewCache();  // also of a version that stays in use
  table->reason = loaded.Reason();
  if (table->binding == nullptr) {
    table->state = TableState::kBroken;
    log_->logger().Error("table " + table->name + " cannot be used: " + table->reason);
  } else {
    table->state = TableState::kStale;
    log_->logger().Error(
        "table " + table->name +
        ": the new version is broken, the one before it stays in use: " + table->reason);
  }
}

void TableService::LogDiagnostics(const ServedTable& table, const LoadedTable& loaded) {
  bool first_error = true;
  for (const config::Diagnostic& diagnostic : loaded.diagnostics) {
    // The first error is part of the line about the table.
    if (diagnostic.severity == config::Severity::kError && std::exchange(first_error, false)) {
      continue;
    }
    log_->Warning("table " + table.name + ": " + diagnostic.ToString());
  }
}

void TableService::OnFilesChanged(const std::set<std::string>& changed) {
  for (const auto& [name, table] : registry_->tables()) {
    bool affected = false;
    for (const auto& [path, signature] : files_[name]) affected |= changed.contains(path);
    if (!affected) continue;
    LoadedTable loaded = loader_->Load(name, *config_);
    RefuseMisnamedSection(&loaded, PoolNames(name));
    Apply(table.get(), std::move(loaded));
    if (table->state == TableState::kOk) {
      log_->Info("table " + name + ": the new version of its file is in use");
    }
  }
  WatchFiles();
}

void TableService::WatchFiles() {
  std::map<std::string, FileSignature> all;
  for (const auto& [name, files] : files_) {
    for (const auto& [path, signature] : files) all.insert_or_assign(path, signature);
  }
  watch_.Watch(all);
}

std::vector<std::string> TableService::Faults() const {
  std::vector<std::string> faults;
  for (const auto& [name, table] : registry_->tables()) {
    if (table->state != TableState::kOk) faults.push_back("table " + name + ": " + table->reason);
  }
  return faults;
}

}  // namespace proxymux::proxy
