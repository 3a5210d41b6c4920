#include "proxy/daemon/reloader.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

namespace proxymux::proxy {

ReloadReport Reloader::Reload(std::string_view who) {
  auto loaded = settings_->ReadServiceConfig();
  LogProblems(*loaded);
  ReloadReport report;
  for (const config::Diagnostic& diagnostic : loaded->loaded().diagnostics) {
    report.lines.push_back(diagnostic.ToString());
  }
  const bool lost = settings_->config()->loaded().file_found && !loaded->loaded().file_found;
  if (lost || loaded->loaded().HasErrors()) {
    ++failures_;
    report.lines.emplace_back(
        lost ? "proxymux.yaml is gone; the settings stay as they were (an empty file returns to "
               "the defaults)"
             : "proxymux.yaml has errors; the settings stay as they were");
    logger_->Error(fmt::format("{}: {}", who, report.lines.back()));
    return report;
  }
  ++reloads_;
  for (const std::string& change : ChangesForRestart(settings_->server(), loaded->server())) {
    logger_->Warning(change);
  }
  for (std::string& change : SettingChanges(settings_->server(), loaded->server())) {
    report.lines.push_back(std::move(change));
  }
  const std::set<std::string> before = PoolsInUse();
  settings_->Use(std::move(loaded));
  logger_->SetThreshold(settings_->LogThreshold());
  parts_->pools->UpdateSettings(
      [this](const std::string& pool) { return settings_->config()->ForPool(pool); });
  for (const std::string& table : parts_->tables->Reload(settings_->config())) {
    report.lines.push_back("table " + table + ": the new version of its file is in use");
  }
  parts_->clients->SetLimits(settings_->ClientLimits());
  parts_->router->lookups().slow().SetRule(settings_->ForSlowLookups());
  parts_->relay->Reconfigure(settings_->ForRelay());
  parts_->domain_tables->ReplaceAll();
  for (std::string& problem : LogUnusedSections()) report.lines.push_back(std::move(problem));
  logger_->Info(fmt::format("{}: settings and tables were read again", who));

  const std::vector<std::string> faults = parts_->tables->Faults();
  report.lines.insert(report.lines.end(), faults.begin(), faults.end());
  const std::set<std::string> after = PoolsInUse();
  for (const std::string& pool : after) {
    if (!before.contains(pool)) report.lines.push_back("pool " + pool + " is new");
  }
  for (const std::string& pool : before) {
    if (after.contains(pool)) continue;
    report.lines.push_back("pool " + pool + " ends when its lookups are answered");
  }
  report.done = true;
  report.as_written = faults.empty();
  return report;
}

// By their names.
std::set<std::string> Reloader::PoolsInUse() const {
  std::set<std::string> names;
  for (const auto& [name, table] : parts_->registry->tables()) {
    if (table->pool != nullptr) names.insert(table->pool->name());
  }
  return names;
}

void Reloader::LogProblems(const ServiceConfig& config) {
  for (const config::Diagnostic& diagnostic : config.loaded().diagnostics) {
    if (diagnostic.severity == config::Severity::kError) {
      logger_->Error(diagnostic.ToString());
    } else {
      logger_->Warning(diagnostic.ToString());
    }
  }
}

std::vector<std::string> Reloader::LogUnusedSections() {
  std::vector<std::string> pools;
  for (const auto& pool : parts_->pools->All()) pools.push_back(pool->name());
  std::vector<std::string> problems =
      UnusedSections(settings_->server(), parts_->registry->approved(), pools);
  for (const std::string& problem : problems) logger_->Warning(problem);
  return problems;
}

}  // namespace proxymux::proxy
