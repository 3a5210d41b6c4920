#include "proxy/tables/table_loader.h"

#include <utility>

#include "config/postfix/pgsql_table_parser.h"
#include "pgsql/table/compiled_table.h"
#include "pgsql/table/usual_wait.h"
#include "proxy/text/key_fold.h"
#include "proxy/text/text_file.h"

namespace proxymux::proxy {
namespace {

constexpr std::string_view kType = "pgsql:";

void AddError(LoadedTable* loaded, const std::string& file, std::string text) {
  config::Diagnostic diagnostic;
  diagnostic.file = file;
  diagnostic.text = std::move(text);
  loaded->diagnostics.push_back(std::move(diagnostic));
}

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
  const std::string& file = is_file ? source : main_cf_file_;

  config::ParsedTable parsed;
  if (is_file) {
    std::string error;
    const auto text = read_file(source, &error);
    if (!text.has_value()) {
      AddError(loaded, source, "cannot be read: " + error);
      return;
    }
    parsed = config::ParsePgsqlTable(*text, source, mail_version_);
  } else {
    parsed = config::ParsePgsqlTableInMainCf(source, *main_cf_, main_cf_file_, mail_version_);
  }
  for (config::Diagnostic& diagnostic : parsed.diagnostics) {
    loaded->diagnostics.push_back(std::move(diagnostic));
  }
  if (!parsed.table.has_value()) return;

  const auto settings = config.ForTable(name);
  if (const auto* error = std::get_if<std::string>(&settings)) {
    AddError(loaded, file, *error);
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
    for (const std::string& error : *errors) AddError(loaded, file, error);
    return;
  }
  const auto& table = std::get<std::shared_ptr<const pgsql::CompiledTable>>(compiled);
  for (const std::string& warning : table->warnings()) {
    AddError(loaded, file, warning);
    loaded->diagnostics.back().severity = config::Severity::kWarning;
  }

  auto pool = pools_->PoolFor(*parsed.table, table->hosts(), table_settings.max_value,
                              [&config](const std::string& pool) { return config.ForPool(pool); });
  if (const auto* error = std::get_if<std::string>(&pool)) {
    AddError(loaded, file, *error);
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
      AddError(loaded, file, "statement_mode has no effect, the query is sent as text: " + reason);
      loaded->diagnostics.back().severity = config::Severity::kWarning;
    }
  }
  if (loaded->binding->plan.form({}) == pgsql::StatementForm::kText) {
    for (const pgsql::TemplateError& caution : table->query().cautions()) {
      AddError(loaded, file, pgsql::Located("query", caution));
      loaded->diagnostics.back().severity = config::Severity::kWarning;
    }
  }
}

}  // namespace proxymux::proxy
