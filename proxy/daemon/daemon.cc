#include "proxy/daemon/daemon.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "proxy/daemon/daemon_status.h"
#include "proxy/daemon/relay_setup.h"
#include "proxy/process/descriptor_limit.h"
#include "proxy/process/privileges.h"
#include "proxy/process/process_environment.h"
#include "proxy/status/version.h"

namespace proxymux::proxy {
namespace {

// Besides clients: connections to databases and stock daemons, table files, the log, threads.
constexpr std::size_t kOtherDescriptors = 1000;

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
    : settings_(std::move(options)),
      logger_(logger),
      parts_(logger),
      reloader_(&settings_, &parts_, logger),
      drain_(&settings_, &parts_, logger),
      master_(settings_.options().status_fd, settings_.options().generation, &parts_.log) {}

Daemon::~Daemon() {
  admin_.reset();
  parts_.coalescer.AnswerAll({pgsql::Outcome::kRetry, {}, "the service is ending"});
  parts_.clients.reset();
}

int Daemon::Run() {
  const DaemonOptions& options = settings_.options();
  std::signal(SIGPIPE, SIG_IGN);
  if (!Configure()) return EXIT_FAILURE;
  LimitClients();
  if (!GiveUpPrivileges()) return EXIT_FAILURE;
  BuildControl();
  BuildRelay();
  if (!StartListening()) return EXIT_FAILURE;
  parts_.tables->StartWatching();
  admin_ = std::make_unique<AdminDoor>(
      &parts_.loop, settings_,
      AdminDoor::Functions{[this] { return SnapshotWithRates(); },
                           [this](const ControlRequest& request) { return control_->Do(request); }},
      logger_);
  WatchSignals();
  master_.Watch(&parts_.loop, [this] { BeginDrain("master reloads or is gone"); });
  housekeeping_.emplace(&parts_, &master_, settings_.postfix().daemon_timeout,
                        [this] { SampleRates(); });
  logger_->Info(fmt::format("proxymux {} serves {} pgsql tables as {}{}", kVersion,
                            parts_.registry->tables().size(), options.service_name,
                            options.one_process
                                ? ""
                                : " (the process limit in master.cf is not 1; one process serves "
                                  "all clients, others would only add connections)"));
  if (options.client >= 0) {
    parts_.clients->Adopt(options.client);
    parts_.clients->NotifyWhenEmpty([this] { drain_.Stop(); });
  }
  service_manager_.Ready();
  parts_.loop.Run();
  return EXIT_SUCCESS;
}

bool Daemon::Configure() {
  if (const std::string error = settings_.ReadPostfix(); !error.empty()) {
    logger_->Fatal(error);
    return false;
  }
  const PostfixSettings& postfix = settings_.postfix();
  // Else master(8) has done it.
  if (settings_.options().mode == ServiceMode::kStandalone) {
    SetProcessEnvironment(ImportedEnvironment(postfix.import_environment, ProcessEnvironment()));
  }
  settings_.Use(settings_.ReadServiceConfig());
  logger_->SetThreshold(settings_.LogThreshold());
  logger_->Retarget(settings_.Log());
  if (chdir(postfix.queue_directory.c_str()) != 0) {
    logger_->Warning(fmt::format("cannot change to queue_directory {}: {}", postfix.queue_directory,
                                 std::strerror(errno)));
  }
  LogPostfixProblems();
  reloader_.LogProblems(*settings_.config());
  BuildTables();
  reloader_.LogUnusedSections();
  return true;
}

void Daemon::LogPostfixProblems() {
  const PostfixSettings& postfix = settings_.postfix();
  if (postfix.used_fallback) {
    logger_->Warning("postconf failed; main.cf was read without it");
  }
  for (const config::Diagnostic& diagnostic : postfix.diagnostics) {
    logger_->Warning(diagnostic.ToString());
  }
}

void Daemon::BuildTables() {
  static const std::vector<config::MainCfSetting> kNone;
  const PostfixSettings& postfix = settings_.postfix();
  parts_.pools = std::make_unique<pgsql::PgPools>(&parts_.loop, &parts_.pool_log);
  parts_.loader = std::make_unique<TableLoader>(
      parts_.pools.get(), postfix.mail_version, postfix.smtputf8_enable,
      postfix.main_cf ? &*postfix.main_cf : &kNone, postfix.main_cf_file);
  parts_.registry = std::make_unique<TableRegistry>(postfix.approved.tables);
  parts_.tables = std::make_unique<TableService>(parts_.registry.get(), parts_.loader.get(),
                                                 &parts_.loop, &parts_.log);
  parts_.tables->LoadAll(settings_.config());
}

void Daemon::LimitClients() {
  const auto wanted = static_cast<std::size_t>(settings_.server().max_clients);
  const std::size_t descriptors = RaiseDescriptorLimit(wanted + kOtherDescriptors);
  const std::size_t most =
      descriptors > 2 * kOtherDescriptors ? descriptors - kOtherDescriptors : descriptors / 2;
  settings_.LimitClients(most);
  if (most < wanted) {
    logger_->Warning(
        fmt::format("the system allows {} open files: {} clients at once instead of "
                    "max_clients ({}), more wait",
                    descriptors, most, wanted));
  }
}

bool Daemon::GiveUpPrivileges() {
  if (!settings_.options().drop_privileges) return true;
  const auto account = FindAccount(settings_.postfix().mail_owner);
  if (const auto* error = std::get_if<PrivilegeError>(&account)) {
    logger_->Fatal(error->text);
    return false;
  }
  const Account& owner = std::get<Account>(account);
  settings_.socket_name().GiveTo(owner.uid, owner.gid);
  if (const auto error = DropPrivileges(owner)) {
    logger_->Fatal(error->text);
    return false;
  }
  return true;
}

void Daemon::BuildControl() {
  control_.emplace(
      &settings_, &parts_, logger_,
      ControlCommands::Service{[this] { return drain_.begun(); },
                               [this] { return Reload("ctl reload"); },
                               [this] { BeginDrain("ctl drain"); }},
      DisabledHosts::FileOf(settings_.postfix().data_directory, settings_.options().service_name));
  control_->RestoreDisabledHosts();
}

void Daemon::BuildRelay() {
  settings_.ChooseRelay();
  if (settings_.relay_mode() == StockMode::kSpawn &&
      settings_.options().service_name != "proxymap") {
    logger_->Info(
        fmt::format("nobody listens on {}: stock daemons for other map types are started here",
                    settings_.server().relay_socket));
  }
  parts_.relay =
      std::make_unique<UvRelay>(parts_.loop.uv(), settings_.ForRelay(), &parts_.relay_log);
  parts_.domain_tables = std::make_unique<DomainTables>(
      StockDialect(settings_.postfix()),
      [this](const std::string& table) {
        return std::make_unique<UvRelay>(parts_.loop.uv(), settings_.ForDomainRelay(table),
                                         &parts_.relay_log);
      },
      &parts_.loop);
}

bool Daemon::StartListening() {
  parts_.router = std::make_unique<RequestRouter>(
      parts_.registry.get(), &parts_.coalescer, parts_.relay.get(), parts_.domain_tables.get(),
      &parts_.loop, &parts_.log, settings_.postfix().smtputf8_enable);
  parts_.router->lookups().slow().SetRule(settings_.ForSlowLookups());
  parts_.clients =
      std::make_unique<UvClients>(&parts_.loop, parts_.router.get(), &parts_.log,
                                  settings_.ClientLimits(), [this] { master_.ReportServed(); });
  for (const int fd : settings_.options().listeners) {
    const std::string error = parts_.clients->Listen(fd);
    if (!error.empty()) {
      logger_->Fatal("cannot listen: " + error);
      return false;
    }
  }
  return true;
}

void Daemon::WatchSignals() {
  uv_loop_t* const loop = parts_.loop.uv();
  on_term_.Start(loop, SIGTERM, [this](int) { BeginDrain("SIGTERM"); });
  on_int_.Start(loop, SIGINT, [this](int) { BeginDrain("SIGINT"); });
  on_hup_.Start(loop, SIGHUP, [this](int) {
    if (!drain_.begun()) Reload("SIGHUP");
  });
  const sigset_t signals = DaemonSignals();
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

ReloadReport Daemon::Reload(std::string_view who) {
  service_manager_.Reloading(std::chrono::steady_clock::now());
  ReloadReport report = reloader_.Reload(who);
  service_manager_.Ready();
  return report;
}

void Daemon::BeginDrain(const std::string& why) {
  service_manager_.Stopping();
  drain_.Begin(why);
}

ServiceStatus Daemon::Snapshot() const {
  DaemonFacts facts;
  facts.started = started_;
  facts.versions = versions_;
  facts.program_file = OnDiskName(program_.Now());
  facts.draining = drain_.begun();
  facts.reloads = reloader_.reloads();
  facts.reload_failures = reloader_.failures();
  facts.log_lines_dropped = logger_->dropped();
  if (admin_ != nullptr) facts.admin_fault = admin_->Fault();
  return MakeDaemonStatus(settings_, parts_, facts);
}

ServiceStatus Daemon::SnapshotWithRates() const {
  ServiceStatus status = Snapshot();
  rates_.FillIn(parts_.loop.RealNow(), &status);
  return status;
}

void Daemon::SampleRates() {
  const pgsql::RealTime now = parts_.loop.RealNow();
  if (rates_.Due(now)) rates_.Sample(now, Snapshot());
}

}  // namespace proxymux::proxy
