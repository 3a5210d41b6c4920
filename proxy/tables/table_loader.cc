#include "proxy/tables/table_loader.h"

#include <utility>

#include "pgsql/table/compiled_table.h"
#include "pgsql/table/setting_fault.h"
#include "pgsql/table/usual_wait.h"
#include "proxy/text/key_fold.h"
#include "proxy/text/text_file.h"

namespace proxymux::proxy {
namespace {

constexpr std::string_view kType = "pgsql:";

// What is said of a table as it is built.
class Told {
 public:
  Told(std::string file, LoadedTable* loaded) : file_(std::move(file)), loaded_(loaded) {}

  // Where its settings stand is known from here on.
  void SetPlaces(const config::ParsedTable* parsed) { parsed_ = parsed; }

  void Error(std::string text) { Add(config::Severity::kError, 0, std::move(text)); }
  void Error(const pgsql::SettingFault& fault) { Add(config::Severity::kError, fault); }
  void Warning(const pgsql::SettingFault& fault) { Add(config::Severity::kWarning, fault); }

 private:
  void Add(config::Severity severity, const pgsql::SettingFault& fault) {
    Add(severity, parsed_->LineOf(fault.setting, fault.offset.value_or(0)), fault.ToString());
  }
  void Add(config::Severity severity, int line, std::string text) {
    loaded_->diagnostics.push_back({file_, line, 0, severity, std::move(text), ""});
  }

  const std::string file_;
  LoadedTable* const loaded_;
  const config::ParsedTable* parsed_ = nullptr;
};

}  // namespace

std::string LoadedTable::Reason() const {
  for (const config::Diagnostic& diagnostic : diagnostics) {
    if (diagnostic.severity == config::Severity::kError) return diagnostic.ToString();
  }
  return {};
}

LoadedTable TableLoader::Load(const std::string& name, const ServiceConfig& config,
                              const KeptFiles& before) const {
  LoadedTable loaded;
  const auto read_file = [&](const std::string& path,
                             std::string* error) -> std::optional<std::string> {
    const auto known = loaded.texts.find(path);
    if (known != loaded.texts.end()) return known->second.text;
    const FileSignature signature = FileSignature::Of(path);
    loaded.files.emplace(path, signature);
    std::optional<std::string> text = ReadTextFile(path, error);
    if (text.has_value()) {
      loaded.texts.emplace(path, KeptFile{signature, *text});
      return text;
    }
    const auto kept = before.find(path);
    if (kept == before.end()) return std::nullopt;
    if (signature.visible && signature != kept->second.signature) return std::nullopt;
    loaded.texts.insert(*kept);
    loaded.diagnostics.push_back(
        {path, 0, 0, config::Severity::kWarning,
         "cannot be read: " + *error + "; what was read at the start stays in use",
         "make the file readable for mail_owner"});
    return kept->second.text;
  };
  Build(name, config, read_file, &loaded);
  return loaded;
}

LoadedTable TableLoader::LoadKept(const std::string& name, const ServiceConfig& config,
                                  const KeptFiles& texts) const {
  LoadedTable loaded;
  loaded.texts = texts;
  const auto read_file = [&](const std::string& path,
                             std::string* error) -> std::optional<std::string> {
    const auto kept = texts.find(path);
    if (kept != texts.end()) return kept->second.text;
    *error = "could not be read before";
    return std::nullopt;
  };
  Build(name, config, read_file, &loaded);
  return loaded;
}

void TableLoader::Build(const std::string& name, const ServiceConfig& config,
                        const FileReader& read_file, LoadedTable* loaded) const {
  const std::string source = name.substr(kType.size());
  const bool is_file = source.starts_with('/') || source.starts_with('.');
  loaded->file = is_file ? source : main_cf_file_;
  Told told(loaded->file, loaded);

  config::ParsedTable& parsed = loaded->source;
  if (is_file) {
    std::string error;
    const auto text = read_file(source, &error);
    if (!text.has_value()) {
      told.Error("cannot be read: " + error);
      return;
    }
    parsed = config::ParsePgsqlTable(*text, source, mail_version_);
  } else {
    parsed = config::ParsePgsqlTableInMainCf(source, *main_cf_, main_cf_file_, mail_version_);
  }
  loaded->diagnostics.insert(loaded->diagnostics.end(), parsed.diagnostics.begin(),
                             parsed.diagnostics.end());
  if (!parsed.table.has_value()) return;
  told.SetPlaces(&parsed);

  const auto settings = config.ForTable(name);
  if (const auto* error = std::get_if<std::string>(&settings)) {
    told.Error(*error);
    return;
  }
  const auto& table_settings = std::get<config::TableSettings>(settings);
  const auto fold = [this](std::string_view domain) {
    std::string folded;
    FoldDomain(domain, smtputf8_enable_, &folded);
    return folded;
  };
  auto compiled = pgsql::CompiledTable::Compile(*parsed.table, table_settings, read_file, fold);
  if (const auto* errors = std::get_if<pgsql::CompiledTable::Errors>(&compiled)) {
    for (const pgsql::SettingFault& error : *errors) told.Error(error);
    return;
  }
  const auto& table = std::get<std::shared_ptr<const pgsql::CompiledTable>>(compiled);
  for (const pgsql::SettingFault& warning : table->warnings()) told.Warning(warning);

  auto pool = pools_->PoolFor(*parsed.table, table->hosts(), table_settings.max_value,
                              [&config](const std::string& pool) { return config.ForPool(pool); });
  if (const auto* error = std::get_if<std::string>(&pool)) {
    told.Error(*error);
    return;
  }
  loaded->pool = std::get<pgsql::PgPools::PoolPointer>(std::move(pool));
  loaded->binding = std::make_shared<pgsql::TableBinding>();
  loaded->binding->name = name;
  loaded->binding->SetFromText(table->statement_class());
  loaded->binding->table = table;
  loaded->binding->settings = table_settings;
  loaded->binding->usual_wait = pgsql::UsualWait(table_settings.hedge_percent);
  const config::StatementMode mode =
      parsed.table->statement_mode.value_or(table_settings.statement_mode);
  loaded->binding->plan = pgsql::StatementPlan(table->query(), table->statement_class(), mode);
  if (mode == config::StatementMode::kParameterized || mode == config::StatementMode::kPrepared) {
    const std::string& reason = loaded->binding->plan.text_reason();
    if (!reason.empty()) {
      told.Warning({"statement_mode", "has no effect, the query is sent as text: " + reason});
    }
  }
  if (loaded->binding->plan.form({}) == pgsql::StatementForm::kText) {
    for (const pgsql::TemplateError& caution : table->query().cautions()) {
      told.Warning({"query", caution.text, caution.offset});
    }
  }
}

}  // namespace proxymux::proxy
