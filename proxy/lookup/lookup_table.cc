#include "proxy/lookup/lookup_table.h"

#include <ostream>
#include <set>
#include <utility>

#include "config/postfix/program_output.h"
#include "config/yaml/yaml_loader.h"
#include "pgsql/sql/key_parts.h"
#include "protocol/dialect.h"
#include "protocol/dict_flags.h"
#include "protocol/request.h"
#include "protocol/table_name.h"
#include "proxy/process/postfix_settings.h"
#include "proxy/process/service_user.h"
#include "proxy/tables/table_loader.h"
#include "proxy/tables/table_registry.h"
#include "proxy/text/text_file.h"
#include "proxy/text/utf8.h"

namespace proxymux::proxy {
namespace {

using pgsql::Outcome;
using pgsql::Preparation;
using TableAnswer = pgsql::DomainFilter::TableAnswer;

constexpr std::string_view kType = "pgsql:";

LogTarget StandardError() {
  LogTarget target;
  target.sink = LogSink::kStderr;
  target.tag = "proxymux";
  return target;
}

// Puts an answer into the report, whose texts do not die with the call, and ends the loop's run.
class Asker final : public Coalescer::Waiter {
 public:
  Asker(UvEventLoop* loop, const pgsql::StatementPlan* plan, LookupReport* report)
      : loop_(loop), plan_(plan), report_(report) {}

  void OnAnswer(const pgsql::Answer& answer) override {
    report_->outcome = answer.outcome;
    report_->value = answer.value;
    report_->reason = answer.reason;
    report_->host = answer.origin.host;
    report_->time = answer.origin.time;
    if (!report_->host.empty()) report_->plan = PlanText(answer.origin.form, plan_->text_reason());
    loop_->Stop();
  }

 private:
  UvEventLoop* const loop_;
  const pgsql::StatementPlan* const plan_;
  LookupReport* const report_;
};

}  // namespace

LookupTable::LookupTable(const LookupOptions* options, std::ostream* err)
    : options_(options),
      err_(err),
      name_(protocol::StripProxyPrefixes(options->table)),
      logger_(StandardError()),
      log_(&logger_, &loop_),
      pool_log_(&log_),
      pools_(&loop_, &pool_log_),
      config_(config::LoadConfigFile(options->config_directory + "/proxymux.yaml")) {}

bool LookupTable::IsFile() const {
  return name_[kType.size()] == '/' || name_[kType.size()] == '.';
}

bool LookupTable::Fail(const std::string& text) {
  *err_ << "proxymux: " << text << "\n";
  return false;
}

void LookupTable::Tell(const std::vector<config::Diagnostic>& diagnostics) {
  for (const config::Diagnostic& diagnostic : diagnostics) {
    *err_ << "proxymux: " << diagnostic.ToString() << "\n";
  }
}

bool LookupTable::Open() {
  if (!NameIsGood()) return false;
  settings_ = ReadLookupSettings(options_->config_directory, !IsFile());
  if (!settings_.error.empty()) return Fail(settings_.error);
  Tell(config_.loaded().diagnostics);
  const TableLoader loader(&pools_, settings_.mail_version, settings_.smtputf8_enable,
                           &settings_.main_cf, settings_.main_cf_file);
  const LoadedTable loaded = loader.Load(name_, config_);
  if (loaded.binding == nullptr && !IsFile()) Tell(settings_.diagnostics);
  Tell(loaded.diagnostics);
  if (loaded.binding == nullptr) {
    return Fail("table " + name_ + " cannot be used before what is said above is mended");
  }
  binding_ = loaded.binding;
  pool_ = loaded.pool;
  if (const auto problem = MisnamedSection()) {
    return Fail("table " + name_ + " is not used: " + *problem);
  }
  if (options_->explain && !OpenProbe(*loaded.source.table)) return false;
  return GiveUpRoot();
}

bool LookupTable::NameIsGood() {
  const std::size_t colon = name_.find(':');
  if (colon == std::string::npos || name_ == kType) {
    return Fail("\"" + options_->table +
                "\" is no table: write pgsql:/path/of/table.cf, or pgsql:NAME when its settings "
                "stand in main.cf");
  }
  if (!TableRegistry::IsPgsql(name_)) {
    return Fail(options_->table + ": only pgsql tables are looked up here, not " +
                name_.substr(0, colon) + "; use postmap -q KEY " + name_);
  }
  return true;
}

// As in the service: a section that asks for TLS and names no pool may be meant for ours. Which
// pools there are is found out only when it matters.
std::optional<std::string> LookupTable::MisnamedSection() {
  std::set<std::string> known = {pool_->name()};
  if (!config_.MisnamedSection(pool_->name(), known).has_value()) return std::nullopt;
  const PostfixSettingsResult read = ReadPostfixSettings(options_->config_directory, {});
  if (read.settings.has_value()) {
    const PostfixSettings& postfix = *read.settings;
    const TableLoader loader(&pools_, postfix.mail_version, postfix.smtputf8_enable,
                             postfix.main_cf ? &*postfix.main_cf : &settings_.main_cf,
                             postfix.main_cf_file);
    for (const std::string& name : postfix.approved.tables) {
      if (!TableRegistry::IsPgsql(name)) continue;
      const LoadedTable other = loader.Load(name, config_);
      if (other.pool != nullptr) known.insert(other.pool->name());
    }
  }
  return config_.MisnamedSection(pool_->name(), known);
}

bool LookupTable::OpenProbe(const config::TableConfig& table) {
  auto made = LookupProbe::Make(table, *binding_, *pool_, &loop_, &pool_log_);
  if (const auto* problem = std::get_if<std::string>(&made)) return Fail(*problem);
  probe_ = std::get<std::unique_ptr<LookupProbe>>(std::move(made));
  pool_ = probe_->pool();
  return true;
}

bool LookupTable::GiveUpRoot() {
  ServiceUser user = BecomeServiceUser(settings_.mail_owner);
  if (!user.error.empty()) return Fail(user.error);
  user_ = std::move(user.text);
  return true;
}

LookupReport LookupTable::Ask(const std::string& key) {
  LookupReport report;
  report.table = name_;
  report.settings = settings_.source + (config_.loaded().file_found ? ", with " : ", without ") +
                    options_->config_directory + "/proxymux.yaml";
  report.user = user_;
  report.key = key;
  report.query = binding_->table->query().source();
  report.pool = pool_->name();
  Resolve(&report);
  if (report.outcome == Outcome::kFound && utf8() && !IsValidUtf8(report.value)) {
    report.outcome = Outcome::kConfig;
    report.reason = "the result is not valid UTF-8: mend the data (-u shows it as it is)";
  }
  return report;
}

void LookupTable::Resolve(LookupReport* report) {
  // As a client would ask that opened the table with these options.
  protocol::LookupRequest request;
  request.instance_flags = options_->utf8 ? protocol::kFlagUtf8Request : 0;
  request.flags = options_->fold ? protocol::kFlagFoldFix | protocol::kFlagFixed : 0;
  const pgsql::CompiledTable& table = *binding_->table;
  const PreparedKey key = key_preparation_.Prepare(
      table, report->key,
      KeyRulesOf(request, protocol::Dialect::kInstanceFlags, settings_.smtputf8_enable));
  report->folded_key = key.key;
  report->folding = key.folding;
  if (!key.valid) {
    report->outcome = Outcome::kNotFound;
    report->no_query = "the key is not valid UTF-8";
    report->reason = report->no_query;
    return;
  }
  const std::string domain(key.folded_domain);
  Preparation preparation = key.preparation;
  while (preparation.kind == Preparation::Kind::kNeedTable) {
    const TableAnswer answer = AskDomainTable(preparation.domain.text, domain, report);
    preparation = table.ResumePrepare(preparation, answer, pgsql::KeyParts(key.key), domain);
  }
  switch (preparation.kind) {
    case Preparation::Kind::kQuery:
      Query(report);
      return;
    case Preparation::Kind::kNotFound:
      report->outcome = Outcome::kNotFound;
      report->no_query = pgsql::NoQueryText(preparation.reason);
      // The one that should not happen.
      if (preparation.reason == pgsql::NoQueryReason::kEmptyKey) report->reason = report->no_query;
      return;
    case Preparation::Kind::kNeedTable:
    case Preparation::Kind::kUnavailable:
      report->outcome = Outcome::kRetry;
      report->no_query = "the domain list cannot be looked up";
      if (report->reason.empty()) report->reason = preparation.domain.text;
      report->reason = report->no_query + ": " + report->reason;
      return;
  }
}

// Whether `domain` is in `member`, a type:table of the domain list, which postmap(1) can read: with
// -f, since it is folded, and is to be looked up as the lists of Postfix do. The reason of a
// failure goes into the report.
TableAnswer LookupTable::AskDomainTable(std::string_view member, const std::string& domain,
                                        LookupReport* report) {
  const std::string name(protocol::StripProxyPrefixes(member));
  config::ProgramRun run;
  run.arguments = {CommandDirectory(options_->config_directory) + "/postmap", "-f", "-q", domain,
                   name};
  run.environment = config::PostfixEnvironment(options_->config_directory);
  const config::ProgramOutput output = config::RunProgram(run);
  TableAnswer answer = TableAnswer::kFound;
  std::string said = "found";
  if (!output.failure.empty()) {
    const bool missing = output.err.empty() && output.failure == "exited with status 1";
    answer = missing ? TableAnswer::kNotFound : TableAnswer::kFailed;
    said = missing ? "not found" : "failed";
    if (!missing) {
      report->reason = name + ": postmap " + output.failure;
      if (!output.err.empty()) report->reason += ": " + output.err.substr(0, output.err.find('\n'));
    }
  }
  report->domain_tables += (report->domain_tables.empty() ? "" : ", ") + name + ": " + said;
  return answer;
}

void LookupTable::Query(LookupReport* report) {
  Asker asker(&loop_, &binding_->plan, report);
  coalescer_.Lookup(binding_, pool_, report->folded_key, &asker);
  while (asker.waiting()) loop_.Run();  // the pool answers within lookup_timeout
  if (probe_ != nullptr) report->statement = probe_->Take();
}

}  // namespace proxymux::proxy
