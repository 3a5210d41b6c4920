#include "proxy/table_loader.h"

#include <utility>

#include "config/pgsql_table_parser.h"
#include "pgsql/compiled_table.h"
#include "pgsql/usual_wait.h"
#include "proxy/key_fold.h"
#include "proxy/text_file.h"

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

LoadedTable TableLoader::Load(const std::string& name, const ServiceConfig& config) const {
  LoadedTable loaded;
  const std::string source = name.substr(kType.size());
  const bool is_file = source.starts_with('/') || source.starts_with('.');
  const std::string& file = is_file ? source : main_cf_file_;

  const auto read_file = [&loaded](const std::string& path, std::string* error) {
    loaded.files.emplace(path, FileSignature::Of(path));
    return ReadTextFile(path, error);
  };

  config::ParsedTable parsed;
  if (is_file) {
    std::string error;
    const auto text = read_file(source, &error);
    if (!text.has_value()) {
      loaded.unreadable = true;
      AddError(&loaded, source, "cannot be read: " + error);
      return loaded;
    }
    parsed = config::ParsePgsqlTable(*text, source, mail_version_);
  } else {
    parsed = config::ParsePgsqlTableInMainCf(source, *main_cf_, main_cf_file_, mail_version_);
  }
  loaded.diagnostics = std::move(parsed.diagnostics);
  if (!parsed.table.has_value()) return loaded;

  const auto settings = config.ForTable(name);
  if (const auto* error = std::get_if<std::string>(&settings)) {
    AddError(&loaded, file, *error);
    return loaded;
  }
  const auto& table_settings = std::get<config::TableSettings>(settings);
  const auto fold = [this](std::string_view domain) {
    std::string folded;
    FoldDomain(domain, smtputf8_enable_, &folded);
    return folded;
  };
  auto compiled = pgsql::CompiledTable::Compile(*parsed.table, table_settings, read_file, fold);
  if (const auto* errors = std::get_if<pgsql::CompiledTable::Errors>(&compiled)) {
    for (const std::string& error : *errors) AddError(&loaded, file, error);
    return loaded;
  }
  const auto& table = std::get<std::shared_ptr<const pgsql::CompiledTable>>(compiled);
  for (const std::string& warning : table->warnings()) {
    AddError(&loaded, file, warning);
    loaded.diagnostics.back().severity = config::Severity::kWarning;
  }

  auto pool = pools_->PoolFor(*parsed.table, table->hosts(), table_settings.max_value,
                              [&config](const std::string& pool) { return config.ForPool(pool); });
  if (const auto* error = std::get_if<std::string>(&pool)) {
    AddError(&loaded, file, *error);
    return loaded;
  }
  loaded.pool = std::get<pgsql::PgPools::PoolPointer>(std::move(pool));
  loaded.binding = std::make_shared<pgsql::TableBinding>();
  loaded.binding->name = name;
  loaded.binding->SetFromText(table->statement_class());
  loaded.binding->table = table;
  loaded.binding->settings = table_settings;
  loaded.binding->usual_wait = pgsql::UsualWait(table_settings.hedge_percent);
  const config::StatementMode mode =
      parsed.table->statement_mode.value_or(table_settings.statement_mode);
  loaded.binding->plan = pgsql::StatementPlan(table->query(), table->statement_class(), mode);
  if (mode == config::StatementMode::kParameterized || mode == config::StatementMode::kPrepared) {
    const std::string& reason = loaded.binding->plan.text_reason();
    if (!reason.empty()) {
      AddError(&loaded, file, "statement_mode has no effect, the query is sent as text: " + reason);
      loaded.diagnostics.back().severity = config::Severity::kWarning;
    }
  }
  return loaded;
}

}  // namespace proxymux::proxy
