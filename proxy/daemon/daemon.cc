#include "proxy/daemon/daemon.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <set>

#include "config/yaml/yaml_loader.h"
#include "proxy/daemon/relay_setup.h"
#include "proxy/process/descriptor_limit.h"
#include "proxy/process/privileges.h"
#include "proxy/process/process_environment.h"
#include "proxy/status/version.h"

namespace proxymux::proxy {
namespace {

// Besides clients: connections to databases and stock daemons, table files, the log, threads.
constexpr std::size_t kOtherDescriptors = 1000;

constexpr auto kHousekeepingInterval = std::chrono::seconds(1);
// Of these, how long the process may not be run before it is worth a line.
constexpr auto kLongAway = std::chrono::milliseconds(500);

Severity ThresholdOf(config::LogLevel level) {
  switch (level) {
    case config::LogLevel::kDebug:
      return Severity::kDebug;
    case config::LogLevel::kInfo:
      return Severity::kInfo;
    case config::LogLevel::kWarning:
      return Severity::kWarning;
    case config::LogLevel::kError:
      return Severity::kError;
  }
  return Severity::kInfo;
}

// Every `type:table` that a domain list in use names.
std::set<std::string> DomainMembers(const TableRegistry& registry) {
  std::set<std::string> members;
  for (const auto& [name, table] : registry.tables()) {
    if (table->binding == nullptr) continue;
    for (std::string& member : table->binding->table->domain().Tables()) {
      members.insert(std::move(member));
    }
  }
  return members;
}

sigset_t DaemonSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGHUP, SIGTERM, SIGINT}) sigaddset(&signals, signal);
  return signals;
}

}  // namespace

void BlockDaemonSignals() {
  const sigset_t signals = DaemonSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

Daemon::Daemon(DaemonOptions options, Logger* logger)
    : options_(std::move(options)),
      logger_(logger),
      log_(logger, &loop_),
      pool_log_(&log_),
      relay_log_(&log_) {}

Daemon::~Daemon() {
  if (snapshots_ != nullptr) snapshots_->Close();
  admin_.reset();
  coalescer_.AnswerAll({pgsql::Outcome::kRetry, {}, "the service is ending"});
  clients_.reset();
}

int Daemon::Run() {
  std::signal(SIGPIPE, SIG_IGN);
  if (!Configure()) return EXIT_FAILURE;
  const std::size_t descriptors = RaiseDescriptorLimit(
      static_cast<std::size_t>(config_->server().max_clients) + kOtherDescriptors);
  most_clients_ =
      descriptors > 2 * kOtherDescriptors ? descriptors - kOtherDescriptors : descriptors / 2;
  if (most_clients_ < static_cast<std::size_t>(config_->server().max_clients)) {
    logger_->Warning(
        fmt::format("the system allows {} open files: {} clients at once instead of "
                    "max_clients ({}), more wait",
                    descriptors, most_clients_, config_->server().max_clients));
  }
  if (!GiveUpPrivileges()) return EXIT_FAILURE;
  BuildRelay();
  router_ = std::make_unique<RequestRouter>(registry_.get(), &coalescer_, relay_.get(),
                                            domain_tables_.get(), &loop_, &log_,
                                            postfix_.smtputf8_enable);
  if (!StartListening()) return EXIT_FAILURE;
  tables_->StartWatching();

  snapshots_ = std::make_unique<SnapshotExchange>(loop_.uv(), [this] { return Snapshot(); });
  const auto address = ParseAdminAddress(config_->server().admin_listen, postfix_.data_directory,
                                         options_.service_name);
  if (const auto* good = std::get_if<AdminAddress>(&address)) {
    admin_ = std::make_unique<AdminServer>(
        *good, options_.service_name,
        [this](std::chrono::milliseconds limit) { return snapshots_->Ask(limit); }, logger_);
    admin_->Start();
  } else {
    admin_fault_ = "admin.listen: " + std::get<AdminAddressError>(address).text;
    logger_->Warning(admin_fault_);
  }

  WatchSignals();
  WatchMaster();
  watchdog_.emplace(postfix_.daemon_timeout, Watchdog::Clock::now());
  housekeeping_ = UvTimer(loop_.uv(), [this] { Housekeeping(); });
  housekeeping_.StartRepeating(kHousekeepingInterval);
  drain_timer_ = UvTimer(loop_.uv(), [this] { GiveUpWaiting(); });

  SetState(State::kServing);
  logger_->Info(fmt::format("proxymux {} serves {} pgsql tables as {}{}", kVersion,
                            registry_->tables().size(), options_.service_name,
                            options_.one_process
                                ? ""
                                : " (the process limit in master.cf is not 1; one process serves "
                                  "all clients, others would only add connections)"));
  if (options_.client >= 0) {
    clients_->Adopt(options_.client);
    clients_->NotifyWhenEmpty([this] { Stop(); });
  }
  loop_.Run();
  return EXIT_SUCCESS;
}

bool Daemon::Configure() {
  PostfixSettingsResult read = ReadPostfixSettings(options_.config_directory, options_.overrides);
  if (!read.settings.has_value()) {
    logger_->Fatal(read.error);
    return false;
  }
  postfix_ = std::move(*read.settings);
  if (options_.mode == ServiceMode::kStandalone) {  // else master(8) has done it
    SetProcessEnvironment(ImportedEnvironment(postfix_.import_environment, ProcessEnvironment()));
  }
  ReadServiceConfig();
  RetargetLog();
  if (chdir(postfix_.queue_directory.c_str()) != 0) {
    logger_->Warning(fmt::format("cannot change to queue_directory {}: {}",
                                 postfix_.queue_directory, std::strerror(errno)));
  }
  if (postfix_.used_fallback) {
    logger_->Warning("postconf failed; main.cf was read without it");
  }
  for (const config::Diagnostic& diagnostic : postfix_.diagnostics) {
    logger_->Warning(diagnostic.ToString());
  }
  LogConfigProblems(config_->loaded());

  static const std::vector<config::MainCfSetting> kNone;
  pools_ = std::make_unique<pgsql::PgPools>(&loop_, &pool_log_);
  loader_ = std::make_unique<TableLoader>(
      pools_.get(), postfix_.mail_version, postfix_.smtputf8_enable,
      postfix_.main_cf ? &*postfix_.main_cf : &kNone, postfix_.main_cf_file);
  registry_ = std::make_unique<TableRegistry>(postfix_.approved.tables);
  tables_ = std::make_unique<TableService>(registry_.get(), loader_.get(), &loop_, &log_);
  tables_->LoadAll(config_);
  LogUnusedSections();
  return true;
}

void Daemon::ReadServiceConfig() {
  config_ = std::make_shared<ServiceConfig>(
      config::LoadConfigFile(options_.config_directory + "/proxymux.yaml"));
  logger_->SetThreshold(options_.verbosity > 0 ? Severity::kDebug
                                               : ThresholdOf(config_->server().log_level));
}

void Daemon::RetargetLog() {
  LogTarget target;
  target.tag = postfix_.syslog_name + "/" + options_.process_name;
  if (const auto facility = SyslogFacility(postfix_.syslog_facility)) target.facility = *facility;
  target.host = FirstLabel(postfix_.myhostname);
  if (options_.log_to_stderr) {
    target.sink = LogSink::kStderr;
  } else if (!postfix_.maillog_file.empty()) {
    target.sink = LogSink::kPostlog;
    target.postlog_socket = "public/" + postfix_.postlog_service_name;
  }
  logger_->Retarget(std::move(target));
}

void Daemon::LogConfigProblems(const config::LoadedConfig& loaded) {
  for (const config::Diagnostic& diagnostic : loaded.diagnostics) {
    if (diagnostic.severity == config::Severity::kError) {
      logger_->Error(diagnostic.ToString());
    } else {
      logger_->Warning(diagnostic.ToString());
    }
  }
}

void Daemon::LogUnusedSections() {
  std::vector<std::string> pools;
  for (const auto& pool : pools_->All()) pools.push_back(pool->name());
  for (const std::string& problem :
       UnusedSections(config_->server(), registry_->approved(), pools)) {
    logger_->Warning(problem);
  }
}

UvClients::Limits Daemon::ClientLimits() const {
  const config::ServerConfig& server = config_->server();
  return {std::min(static_cast<std::size_t>(server.max_clients), most_clients_), server.max_request,
          server.greeting};
}

bool Daemon::GiveUpPrivileges() {
  if (!options_.drop_privileges) return true;
  const auto account = FindAccount(postfix_.mail_owner);
  if (const auto* error = std::get_if<PrivilegeError>(&account)) {
    logger_->Fatal(error->text);
    return false;
  }
  const Account& owner = std::get<Account>(account);
  options_.socket_name.GiveTo(owner.uid, owner.gid);
  if (const auto error = DropPrivileges(owner)) {
    logger_->Fatal(error->text);
    return false;
  }
  return true;
}

void Daemon::BuildRelay() {
  relay_mode_ = ChooseRelayMode(options_, config_->server());
  if (relay_mode_ == StockMode::kSpawn && options_.service_name != "proxymap") {
    logger_->Info(
        fmt::format("nobody listens on {}: stock daemons for other map types are started here",
                    config_->server().relay_socket));
  }
  relay_ = std::make_unique<UvRelay>(
      loop_.uv(), MakeRelayOptions(relay_mode_, options_, postfix_, config_->server()),
      &relay_log_);
  domain_tables_ = std::make_unique<DomainTables>(
      StockDialect(postfix_),
      [this](const std::string& table) {
        return std::make_unique<UvRelay>(
            loop_.uv(), MakeDomainRelayOptions(table, options_, postfix_, config_->server()),
            &relay_log_);
      },
      &loop_);
}

bool Daemon::StartListening() {
  clients_ = std::make_unique<UvClients>(&loop_, router_.get(), &log_, ClientLimits(),
                                         [this] { ReportServed(); });
  if (options_.status_fd >= 0) {
    master_status_ =
        std::make_unique<MasterStatus>(options_.status_fd, getpid(), options_.generation);
  }
  for (const int fd : options_.listeners) {
    const std::string error = clients_->Listen(fd);
    if (!error.empty()) {
      logger_->Fatal("cannot listen: " + error);
      return false;
    }
  }
  return true;
}

void Daemon::ReportServed() {
  if (master_status_ == nullptr || master_status_->served_reported()) return;
  switch (master_status_->ReportServed()) {
    case StatusWrite::kSent:
    case StatusWrite::kMasterGone:
      return;
    case StatusWrite::kWouldBlock:  // again with the next clients, or at the next housekeeping
      return;
    case StatusWrite::kFailed:
      log_.LimitedWarning("master status",
                          std::string("cannot tell master of our status: ") + std::strerror(errno));
      return;
  }
}

void Daemon::WatchSignals() {
  on_term_.Start(loop_.uv(), SIGTERM, [this](int) { Drain("SIGTERM"); });
  on_int_.Start(loop_.uv(), SIGINT, [this](int) { Drain("SIGINT"); });
  on_hup_.Start(loop_.uv(), SIGHUP, [this](int) { Reload(); });
  const sigset_t signals = DaemonSignals();
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

void Daemon::WatchMaster() {
  if (options_.status_fd < 0) return;
  const int result = master_watch_.Open(loop_.uv(), options_.status_fd, [this](int, int) {
    char byte;
    const ssize_t size = read(options_.status_fd, &byte, 1);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size > 0) return;  // master says nothing on this socket
    master_watch_.Close();
    Drain("master reloads or is gone");
  });
  if (result == 0) {
    master_watch_.SetEvents(UV_READABLE);
  } else {
    logger_->Warning(std::string("cannot watch the status socket: ") + uv_strerror(result));
  }
}

void Daemon::Housekeeping() {
  watchdog_->Rearm(Watchdog::Clock::now());
  const pgsql::Duration away = loop_.away() - std::exchange(away_, loop_.away());
  if (away >= kLongAway) {
    log_.LimitedWarning(
        "away",
        fmt::format("this process was not run for {:.1f} s: the machine was paused or has "
                    "too little processor time; the limits of database pools do not count that",
                    std::chrono::duration<double>(away).count()));
  }
  log_.WriteSummaries();
  pools_->Sweep();
  if (!domain_tables_->empty()) domain_tables_->Sweep(DomainMembers(*registry_));
  if (clients_->accepted() > 0) ReportServed();
}

void Daemon::Reload() {
  if (state_ != State::kServing) return;
  auto loaded = std::make_shared<ServiceConfig>(
      config::LoadConfigFile(options_.config_directory + "/proxymux.yaml"));
  LogConfigProblems(loaded->loaded());
  const bool lost = config_->loaded().file_found && !loaded->loaded().file_found;
  if (lost || loaded->loaded().HasErrors()) {
    ++reload_failures_;
    logger_->Error(lost ? "SIGHUP: proxymux.yaml is gone; the settings stay as they were (an empty "
                          "file returns to the defaults)"
                        : "SIGHUP: proxymux.yaml has errors; the settings stay as they were");
    return;
  }
  ++reloads_;
  for (const std::string& change : ChangesForRestart(config_->server(), loaded->server())) {
    logger_->Warning(change);
  }
  config_ = std::move(loaded);
  const config::ServerConfig& server = config_->server();
  if (options_.verbosity == 0) logger_->SetThreshold(ThresholdOf(server.log_level));
  pools_->UpdateSettings([this](const std::string& pool) { return config_->ForPool(pool); });
  tables_->Reload(config_);
  clients_->SetLimits(ClientLimits());
  relay_->Reconfigure(MakeRelayOptions(relay_mode_, options_, postfix_, server));
  domain_tables_->ReplaceAll();
  LogUnusedSections();
  logger_->Info("SIGHUP: settings and tables were read again");
}

void Daemon::SetState(State state) { state_ = state; }

void Daemon::Drain(const std::string& why) {
  if (state_ != State::kServing) return;
  SetState(State::kDraining);
  logger_->Debug("draining: " + why);
  options_.socket_name.Remove();
  relay_->Drain();
  domain_tables_->Drain();
  drain_timer_.Start(config_->server().drain_timeout);
  clients_->Drain([this] { Stop(); });
}

void Daemon::GiveUpWaiting() {
  if (state_ != State::kDraining) return;
  logger_->Warning(fmt::format("drain_timeout: {} lookups still under way are answered RETRY",
                               coalescer_.flights() + domain_tables_->waiting()));
  coalescer_.AnswerAll({pgsql::Outcome::kRetry, {}, "the service is ending"});
  Stop();
}

void Daemon::Stop() {
  if (state_ == State::kStopped) return;
  SetState(State::kStopped);
  // Both fail what is still with them.
  const auto left = std::make_shared<int>(2);
  const auto stopped = [this, left] {
    if (--*left == 0) loop_.Stop();
  };
  relay_->Stop(stopped);
  domain_tables_->Stop(stopped);
}

}  // namespace proxymux::proxy
