#include "proxy/daemon/reloader.h"

#include <string>
#include <utility>
#include <vector>

namespace proxymux::proxy {

void Reloader::Reload() {
  auto loaded = settings_->ReadServiceConfig();
  LogProblems(*loaded);
  const bool lost = settings_->config()->loaded().file_found && !loaded->loaded().file_found;
  if (lost || loaded->loaded().HasErrors()) {
    ++failures_;
    logger_->Error(lost ? "SIGHUP: proxymux.yaml is gone; the settings stay as they were (an empty "
                          "file returns to the defaults)"
                        : "SIGHUP: proxymux.yaml has errors; the settings stay as they were");
    return;
  }
  ++reloads_;
  for (const std::string& change : ChangesForRestart(settings_->server(), loaded->server())) {
    logger_->Warning(change);
  }
  settings_->Use(std::move(loaded));
  logger_->SetThreshold(settings_->LogThreshold());
  parts_->pools->UpdateSettings(
      [this](const std::string& pool) { return settings_->config()->ForPool(pool); });
  parts_->tables->Reload(settings_->config());
  parts_->clients->SetLimits(settings_->ClientLimits());
  parts_->relay->Reconfigure(settings_->ForRelay());
  parts_->domain_tables->ReplaceAll();
  LogUnusedSections();
  logger_->Info("SIGHUP: settings and tables were read again");
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

void Reloader::LogUnusedSections() {
  std::vector<std::string> pools;
  for (const auto& pool : parts_->pools->All()) pools.push_back(pool->name());
  for (const std::string& problem :
       UnusedSections(settings_->server(), parts_->registry->approved(), pools)) {
    logger_->Warning(problem);
  }
}

}  // namespace proxymux::proxy
