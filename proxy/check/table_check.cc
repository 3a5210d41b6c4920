#include "proxy/check/table_check.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <utility>
#include <variant>

#include "config/values/duration.h"
#include "pgsql/work/table_binding.h"
#include "proxy/check/query_traps.h"
#include "proxy/tables/served_table.h"
#include "proxy/tables/table_registry.h"

namespace proxymux::proxy {
namespace {

// As far as the query's text tells; what the functions that it calls do, only a server knows.
bool CachesInVain(const pgsql::TableBinding& binding) {
  return binding.write_class == pgsql::WriteClass::kMayWrite && KeepsAnswers(binding.settings);
}

void CheckOutageWait(const CheckedTable& table, const ServiceConfig& config, Findings* findings) {
  const auto pool = config.ForPool(table.loaded.pool->name());
  const auto* settings = std::get_if<config::PoolSettings>(&pool);
  const auto limit = table.loaded.binding->settings.lookup_timeout;
  if (settings == nullptr || settings->outage_wait <= limit) return;
  findings->Warning(table.file(), 0,
                    "its lookups wait in an outage for no longer than lookup_timeout, " +
                        config::FormatDuration(limit) + ", although outage_wait is " +
                        config::FormatDuration(settings->outage_wait),
                    "set lookup_timeout to more in proxymux.yaml");
}

// libpq would say so at each attempt to connect.
void CheckSslMode(const CheckedTable& table, const pgsql::ConnectPlan& plan, Findings* findings) {
  constexpr std::array<std::string_view, 6> kModes = {"disable", "allow",     "prefer",
                                                      "require", "verify-ca", "verify-full"};
  const std::string mode = plan.Parameter("sslmode");
  if (mode.empty() || std::ranges::find(kModes, mode) != kModes.end()) return;
  findings->Error(table.file(), table.LineOf(plan, "hosts"),
                  "a connection string has an sslmode that libpq does not know: no connection "
                  "succeeds",
                  "write one of disable, allow, prefer, require, verify-ca, verify-full");
}

void CheckLoaded(CheckedTable* table, const ServiceConfig& config, Findings* findings) {
  const pgsql::TableBinding& binding = *table->loaded.binding;
  const config::TableConfig& source = *table->loaded.source.table;
  const auto place = table->loaded.source.places.find("query");
  CheckQuery(binding.table->query(), table->file(),
             place == table->loaded.source.places.end() ? config::TextPlace() : place->second,
             findings);
  if (CachesInVain(binding)) {
    findings->Warning(table->file(), table->LineOf("query"),
                      "cache and stale_if_error have no effect: its query may write, and the "
                      "answers of such queries are never kept",
                      "remove them for this table from proxymux.yaml");
  }
  CheckOutageWait(*table, config, findings);
  for (const pgsql::HostSpec& host : binding.table->hosts()) {
    auto made = pgsql::MakeConnectPlan(source, host, table->loaded.pool->settings());
    auto* plan = std::get_if<pgsql::ConnectPlan>(&made);
    if (plan == nullptr) continue;  // told by whoever loaded the table
    CheckSslMode(*table, *plan, findings);
    if (std::ranges::find(table->plans, *plan) != table->plans.end()) continue;
    table->plans.push_back(std::move(*plan));
  }
}

void CheckSections(const std::vector<CheckedTable>& tables, const ServiceConfig& config,
                   const std::set<std::string, std::less<>>& approved,
                   const std::string& settings_file, Findings* findings) {
  std::set<std::string> pools;
  for (const CheckedTable& table : tables) {
    if (table.loaded.pool != nullptr) pools.insert(table.loaded.pool->name());
  }
  for (const CheckedTable& table : tables) {
    if (table.loaded.pool == nullptr) continue;
    if (const auto problem = config.MisnamedSection(table.loaded.pool->name(), pools)) {
      findings->Error(table.file(), 0, "the table is not used: " + *problem);
    }
  }
  for (const std::string& problem :
       UnusedSections(config.server(), approved, {pools.begin(), pools.end()})) {
    findings->Warning(settings_file, 0, problem);
  }
}

void AddCredentials(const CheckedTable& table, const pgsql::ConnectPlan& plan,
                    const std::string& settings_file, std::vector<ServiceFile>* files) {
  const config::PoolSettings& settings = table.loaded.pool->settings();
  const std::array<std::pair<ServiceFile::Kind, std::pair<const char*, std::string>>, 3> kinds = {{
      {ServiceFile::Kind::kRootCert, {"sslrootcert", settings.sslrootcert}},
      {ServiceFile::Kind::kCertificate, {"sslcert", settings.sslcert}},
      {ServiceFile::Kind::kKey, {"sslkey", settings.sslkey}},
  }};
  if (plan.Parameter("sslmode") == "disable") return;
  for (const auto& [kind, named] : kinds) {
    const std::string path = plan.Parameter(named.first);
    if (path.empty() || path == "system") continue;
    // "engine:key" is no file (libpq, sslkey).
    if (kind == ServiceFile::Kind::kKey && path.find(':') != std::string::npos) continue;
    const bool of_pool = path == named.second;
    ServiceFile file;
    file.kind = kind;
    file.path = path;
    file.named_in = of_pool ? settings_file : table.file();
    file.line = of_pool ? 0 : table.LineOf(plan, "hosts");
    file.verifies = plan.Parameter("sslmode").starts_with("verify");
    if (std::ranges::find(*files, file) == files->end()) files->push_back(std::move(file));
  }
}

}  // namespace

int CheckedTable::LineOf(const pgsql::ConnectPlan& plan, std::string_view setting) const {
  int line = 0;
  switch (plan.from) {
    case pgsql::ConnectPlan::From::kSettings:
      line = LineOf(setting);
      break;
    case pgsql::ConnectPlan::From::kUri:
      break;
    case pgsql::ConnectPlan::From::kDbname:
      line = LineOf("dbname");
      break;
  }
  return line > 0 ? line : LineOf("hosts");
}

std::vector<CheckedTable> CheckTables(const TableLoader& loader, const ServiceConfig& config,
                                      const std::set<std::string, std::less<>>& approved,
                                      const std::string& settings_file, Findings* findings) {
  std::vector<CheckedTable> tables;
  for (const std::string& name : approved) {
    if (!TableRegistry::IsPgsql(name)) continue;
    CheckedTable& table = tables.emplace_back();
    table.name = name;
    table.loaded = loader.Load(name, config);
    findings->Add(table.loaded.diagnostics);
    if (table.loaded.binding != nullptr) CheckLoaded(&table, config, findings);
  }
  CheckSections(tables, config, approved, settings_file, findings);
  return tables;
}

std::vector<ServiceFile> FilesOf(const std::vector<CheckedTable>& tables,
                                 const std::string& settings_file) {
  std::vector<ServiceFile> files;
  files.push_back({ServiceFile::Kind::kSettings, settings_file, false, "", 0, false});
  std::set<std::string> secret;
  std::set<std::string> read;
  for (const CheckedTable& table : tables) {
    for (const auto& [path, signature] : table.loaded.files) read.insert(path);
    const auto& source = table.loaded.source.table;
    const bool has_password = (source.has_value() && !source->password.empty()) ||
                              std::ranges::any_of(table.plans, [](const pgsql::ConnectPlan& plan) {
                                return !plan.Parameter("password").empty();
                              });
    if (!has_password) continue;
    secret.insert(table.file());
    read.insert(table.file());  // main.cf, where the table is defined there
  }
  for (const std::string& path : read) {
    const auto kind = std::filesystem::path(path).filename() == "main.cf"
                          ? ServiceFile::Kind::kMainCf
                          : ServiceFile::Kind::kSettings;
    files.push_back({kind, path, secret.contains(path), "", 0, false});
  }
  for (const CheckedTable& table : tables) {
    for (const pgsql::ConnectPlan& plan : table.plans) {
      AddCredentials(table, plan, settings_file, &files);
    }
  }
  return files;
}

}  // namespace proxymux::proxy
