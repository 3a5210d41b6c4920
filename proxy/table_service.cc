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
    registry_->Add(table);
    Load(table.get());
  }
}

void TableService::StartWatching() {
  watch_.SetInterval(config_->server().table_check_interval);
  WatchFiles();
}

void TableService::Reload(std::shared_ptr<const ServiceConfig> config) {
  config_ = std::move(config);
  for (const auto& [name, table] : registry_->tables()) Load(table.get());
  StartWatching();
}

void TableService::Load(ServedTable* table) {
  LoadedTable loaded = loader_->Load(table->name, *config_);
  files_[table->name] = std::move(loaded.files);
  LogDiagnostics(*table, loaded);
  if (loaded.binding != nullptr) {
    table->binding = std::move(loaded.binding);
    table->pool = std::move(loaded.pool);
    table->state = TableState::kOk;
    table->reason.clear();
    return;
  }
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
    Load(table.get());
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
