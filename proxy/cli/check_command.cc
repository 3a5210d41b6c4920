#include "proxy/cli/check_command.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <variant>

#include "config/postfix/master_cf.h"
#include "config/values/duration.h"
#include "config/yaml/yaml_loader.h"
#include "pgsql/work/table_binding.h"
#include "proxy/cli/config_directory.h"
#include "proxy/log/log.h"
#include "proxy/log/message_log.h"
#include "proxy/process/postfix_settings.h"
#include "proxy/process/privileges.h"
#include "proxy/process/service_lines.h"
#include "proxy/tables/pool_log.h"
#include "proxy/tables/served_table.h"
#include "proxy/tables/table_loader.h"
#include "proxy/tables/table_registry.h"
#include "proxy/text/text_file.h"
#include "proxy/uv/uv_event_loop.h"

namespace proxymux::proxy {
namespace {

class Report {
 public:
  explicit Report(std::ostream* out) : out_(out) {}

  void Add(const config::Diagnostic& diagnostic) {
    *out_ << diagnostic.ToString() << "\n";
    ++(diagnostic.severity == config::Severity::kError ? errors_ : warnings_);
  }
  void Warn(const std::string& text) {
    *out_ << "warning: " << text << "\n";
    ++warnings_;
  }
  int errors() const { return errors_; }
  int warnings() const { return warnings_; }

 private:
  std::ostream* const out_;
  int errors_ = 0;
  int warnings_ = 0;
};

// As far as the query's text tells; what the functions that it calls do, only a server knows.
bool CachesInVain(const pgsql::TableBinding& binding) {
  return binding.write_class == pgsql::WriteClass::kMayWrite && KeepsAnswers(binding.settings);
}

void CheckMasterCf(const std::string& config_directory, Report* report) {
  const std::string file = config_directory + "/master.cf";
  std::string error;
  const auto text = ReadTextFile(file, &error);
  if (!text.has_value()) {
    report->Warn(file + ": cannot be read: " + error);
    return;
  }
  const config::MasterCf master_cf = config::ParseMasterCf(*text, file);
  for (const config::Diagnostic& diagnostic : master_cf.diagnostics) report->Add(diagnostic);
  for (const config::Diagnostic& diagnostic : CheckServiceLines(master_cf)) report->Add(diagnostic);
}

void CheckOutageWait(const pgsql::TableBinding& table,
                     const std::variant<config::PoolSettings, std::string>& pool, Report* report) {
  const auto* settings = std::get_if<config::PoolSettings>(&pool);
  const auto limit = table.settings.lookup_timeout;
  if (settings == nullptr || settings->outage_wait <= limit) return;
  report->Warn("table " + table.name + ": its lookups wait in an outage for no longer than " +
               "lookup_timeout, " + config::FormatDuration(limit) + ", although outage_wait is " +
               config::FormatDuration(settings->outage_wait));
}

}  // namespace

bool Check(const std::string& config_directory, std::ostream& out) {
  Report report(&out);
  const PostfixSettingsResult read = ReadPostfixSettings(config_directory, {});
  if (!read.settings.has_value()) {
    out << "error: " << read.error << "\n";
    return false;
  }
  const PostfixSettings& postfix = *read.settings;
  if (postfix.used_fallback) report.Warn("postconf failed; main.cf was read without it");
  for (const config::Diagnostic& diagnostic : postfix.diagnostics) report.Add(diagnostic);
  CheckMasterCf(config_directory, &report);

  const ServiceConfig config(config::LoadConfigFile(config_directory + "/proxymux.yaml"));
  for (const config::Diagnostic& diagnostic : config.loaded().diagnostics) report.Add(diagnostic);

  if (chdir(postfix.queue_directory.c_str()) != 0) {
    report.Warn("cannot change to queue_directory " + postfix.queue_directory);
  }
  // The pools are named and their settings checked; nothing is sent while the loop does not run.
  UvEventLoop loop;
  LogTarget target;
  target.sink = LogSink::kStderr;
  target.tag = "proxymux";
  Logger logger(target);
  MessageLog log(&logger, &loop);
  PoolLog pool_log(&log);
  pgsql::PgPools pools(&loop, &pool_log);
  static const std::vector<config::MainCfSetting> kNone;
  const TableLoader loader(&pools, postfix.mail_version, postfix.smtputf8_enable,
                           postfix.main_cf ? &*postfix.main_cf : &kNone, postfix.main_cf_file);
  int tables = 0;
  std::map<std::string, std::string> pool_of;  // by table
  std::set<std::string> files;                 // that are read again when they change
  if (config.loaded().file_found) files.insert(config_directory + "/proxymux.yaml");
  for (const std::string& name : postfix.approved.tables) {
    if (!TableRegistry::IsPgsql(name)) continue;
    ++tables;
    const LoadedTable loaded = loader.Load(name, config);
    for (const config::Diagnostic& diagnostic : loaded.diagnostics) report.Add(diagnostic);
    if (loaded.pool != nullptr) pool_of.emplace(name, loaded.pool->name());
    if (loaded.binding != nullptr && CachesInVain(*loaded.binding)) {
      report.Warn("table " + name +
                  ": cache and stale_if_error have no effect: its query may write, and the answers "
                  "of such queries are never kept");
    }
    if (loaded.binding != nullptr && loaded.pool != nullptr) {
      CheckOutageWait(*loaded.binding, config.ForPool(loaded.pool->name()), &report);
    }
    for (const auto& [path, signature] : loaded.files) files.insert(path);
  }
  if (tables == 0) {
    report.Warn(
        "no pgsql table is approved: proxy_read_maps in main.cf names no proxy:pgsql: table");
  }
  std::vector<std::string> pool_names;
  for (const auto& pool : pools.All()) pool_names.push_back(pool->name());
  const auto owner = FindAccount(postfix.mail_owner);
  if (const auto* account = std::get_if<Account>(&owner); account != nullptr && geteuid() == 0) {
    for (const std::string& path : files) {
      if (access(path.c_str(), R_OK) != 0 || CanRead(*account, path)) continue;
      report.Warn(path + ": " + postfix.mail_owner +
                  " cannot read it: it is read at the start, as root, but not when it changes "
                  "(group " +
                  postfix.mail_owner + ", mode 640 would do)");
    }
  }
  const std::set<std::string> known(pool_names.begin(), pool_names.end());
  for (const auto& [name, pool] : pool_of) {
    if (const auto problem = config.MisnamedSection(pool, known)) {
      config::Diagnostic diagnostic;
      diagnostic.text = "table " + name + " is not used: " + *problem;
      report.Add(diagnostic);
    }
  }
  for (const std::string& problem :
       UnusedSections(config.server(), postfix.approved.tables, pool_names)) {
    report.Warn(problem);
  }
  out << tables << " pgsql tables, " << report.errors() << " errors, " << report.warnings()
      << " warnings\n";
  return report.errors() == 0;
}

void AddCheckCommand(CLI::App* app, int* status) {
  const auto directory = std::make_shared<std::string>(DefaultConfigDirectory());
  CLI::App* command =
      app->add_subcommand("check", "Check main.cf, proxymux.yaml and every approved pgsql table");
  command->add_option("-c,--config-directory", *directory, "Where main.cf is")
      ->capture_default_str();
  command->callback([directory, status] {
    *status = Check(*directory, std::cout) ? EXIT_SUCCESS : EXIT_FAILURE;
  });
}

}  // namespace proxymux::proxy
