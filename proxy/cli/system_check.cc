#include "proxy/cli/system_check.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>
#include <variant>

#include "config/yaml/yaml_loader.h"
#include "pgsql/libpq/pg_pools.h"
#include "proxy/check/file_readers.h"
#include "proxy/check/postfix_files.h"
#include "proxy/check/table_uses.h"
#include "proxy/log/log.h"
#include "proxy/log/message_log.h"
#include "proxy/process/postfix_settings.h"
#include "proxy/process/privileges.h"
#include "proxy/process/service_user.h"
#include "proxy/tables/pool_log.h"
#include "proxy/uv/uv_event_loop.h"

namespace proxymux::proxy {

// Pools that name themselves and check their settings, and are asked nothing.
class SystemCheck::Pools {
 public:
  Pools()
      : logger_(Target()), log_(&logger_, &loop_), pool_log_(&log_), pools_(&loop_, &pool_log_) {}

  UvEventLoop* loop() { return &loop_; }
  pgsql::PgPools* pools() { return &pools_; }

 private:
  static LogTarget Target() {
    LogTarget target;
    target.sink = LogSink::kStderr;
    target.tag = "proxymux";
    return target;
  }

  UvEventLoop loop_;
  Logger logger_;
  MessageLog log_;
  PoolLog pool_log_;
  pgsql::PgPools pools_;
};

// The working directory is going to be another one.
SystemCheck::SystemCheck(const std::string& config_directory)
    : config_directory_(std::filesystem::absolute(config_directory)),
      pools_(std::make_unique<Pools>()) {}

SystemCheck::~SystemCheck() = default;

void SystemCheck::CheckFiles() {
  const std::string main_cf = config_directory_ + "/main.cf";
  const std::string settings_file = config_directory_ + "/proxymux.yaml";
  const PostfixFiles files = PostfixFiles::Read(config_directory_, &findings_);
  const PostfixSettingsResult read = ReadPostfixSettings(config_directory_, files.OwnOverrides());
  if (!read.settings.has_value()) {
    if (findings_.errors() == 0) findings_.Error(main_cf, 0, read.error);
    return;
  }
  const PostfixSettings& postfix = *read.settings;
  mail_owner_ = postfix.mail_owner;
  stock_processes_ = files.ProcessLimit("proxymap");
  if (postfix.used_fallback) {
    findings_.Warning(main_cf, 0, "postconf failed; main.cf was read without it");
  }
  findings_.Add(postfix.diagnostics);
  CheckTableUses(files.ValuesInUse(), files.Approvals(postfix.approved), &findings_);

  const ServiceConfig config(config::LoadConfigFile(settings_file));
  findings_.Add(config.loaded().diagnostics);
  if (chdir(postfix.queue_directory.c_str()) != 0) {
    findings_.Error(main_cf, 0,
                    "queue_directory " + postfix.queue_directory + ": " + std::strerror(errno));
  }
  static const std::vector<config::MainCfSetting> kNone;
  const TableLoader loader(pools_->pools(), postfix.mail_version, postfix.smtputf8_enable,
                           postfix.main_cf ? &*postfix.main_cf : &kNone, postfix.main_cf_file);
  tables_ = CheckTables(loader, config, postfix.approved.tables, settings_file, &findings_);
  if (tables_.empty()) {
    findings_.Warning(main_cf, 0, "no pgsql table is approved",
                      "name proxy:pgsql: tables in proxy_read_maps, or in settings that it names");
  }
  const auto owner = FindAccount(mail_owner_);
  if (const auto* error = std::get_if<PrivilegeError>(&owner)) {
    findings_.Error(main_cf, 0, "mail_owner: " + error->text);
  } else if (geteuid() == 0) {
    readers_checked_ = true;
    CheckReaders(FilesOf(tables_, settings_file), std::get<Account>(owner), &findings_);
  }
}

void SystemCheck::AskServers() {
  ServiceUser user = BecomeServiceUser(mail_owner_);
  if (!user.error.empty()) {
    findings_.Error(config_directory_ + "/main.cf", 0, "no server is asked: " + user.error);
    return;
  }
  user_ = std::move(user.text);
  servers_ = CheckServers(tables_, stock_processes_, pools_->loop(), &findings_);
}

}  // namespace proxymux::proxy
