#include "proxy/tables/table_service.h"

#include <algorithm>
#include <utility>

namespace proxymux::proxy {
namespace {

bool SameTexts(const KeptFiles& some, const KeptFiles& others) {
  return std::ranges::equal(some, others, [](const auto& a, const auto& b) {
    return a.first == b.first && a.second.text == b.second.text;
  });
}

}  // namespace

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
std::vector<std::string> TableService::ReadAll() {
  struct Read {
    LoadedTable loaded;
    std::optional<LoadedTable> kept;
  };
  std::map<std::string, Read> all;
  std::set<std::string> pools;
  const auto keep = [this](const std::string& name, Read* read) {
    const KeptFiles* texts = InUse(name);
    if (texts != nullptr) read->kept = loader_->LoadKept(name, *config_, *texts);
  };
  for (const auto& [name, table] : registry_->tables()) {
    const KeptFiles* before = InUse(name);
    Read read;
    read.loaded = loader_->Load(name, *config_, before != nullptr ? *before : KeptFiles());
    if (read.loaded.pool == nullptr) keep(name, &read);
    const LoadedTable& used = read.kept.has_value() ? *read.kept : read.loaded;
    if (used.pool != nullptr) pools.insert(used.pool->name());
    all.emplace(name, std::move(read));
  }
  std::vector<std::string> changed;
  for (auto& [name, read] : all) {
    RefuseMisnamedSection(&read.loaded, pools);
    if (read.loaded.pool == nullptr && !read.kept.has_value()) keep(name, &read);
    if (read.kept.has_value()) RefuseMisnamedSection(&*read.kept, pools);
    if (Apply(registry_->Find(name).get(), std::move(read.loaded), std::move(read.kept))) {
      changed.push_back(name);
    }
  }
  return changed;
}

const KeptFiles* TableService::InUse(const std::string& name) const {
  const auto found = in_use_.find(name);
  return found == in_use_.end() ? nullptr : &found->second;
}

void TableService::StartWatching() {
  watch_.SetInterval(config_->server().table_check_interval);
  WatchFiles();
}

std::vector<std::string> TableService::Reload(std::shared_ptr<const ServiceConfig> config) {
  config_ = std::move(config);
  std::vector<std::string> changed = ReadAll();
  StartWatching();
  return changed;
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

bool TableService::Apply(ServedTable* table, LoadedTable loaded, std::optional<LoadedTable> kept) {
  files_[table->name] = loaded.files;
  LogDiagnostics(*table, loaded);
  const bool is_new = loaded.binding != nullptr;
  const KeptFiles* const before = InUse(table->name);
  const bool says_other = is_new && (before == nullptr || !SameTexts(*before, loaded.texts));
  table->reason = loaded.Reason();
  if (is_new) {
    in_use_[table->name] = std::move(loaded.texts);
    table->binding = std::move(loaded.binding);
    table->pool = std::move(loaded.pool);
    table->failures = {};
  } else if (kept.has_value()) {
    if (kept->binding == nullptr) table->reason = kept->Reason();
    table->binding = std::move(kept->binding);
    table->pool = std::move(kept->pool);
  }
  table->RenewCache();  // also of a version that stays in use
  if (is_new) {
    table->state = TableState::kOk;
  } else if (table->binding == nullptr) {
    table->state = TableState::kBroken;
    log_->logger().Error("table " + table->name + " cannot be used: " + table->reason);
  } else {
    table->state = TableState::kStale;
    log_->logger().Error(
        "table " + table->name +
        ": the new version is broken, the one before it stays in use: " + table->reason);
  }
  return says_other;
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
    const KeptFiles* before = InUse(name);
    LoadedTable loaded = loader_->Load(name, *config_, before != nullptr ? *before : KeptFiles());
    RefuseMisnamedSection(&loaded, PoolNames(name));
    Apply(table.get(), std::move(loaded), std::nullopt);
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
