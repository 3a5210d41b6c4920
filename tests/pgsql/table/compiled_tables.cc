#include "tests/pgsql/table/compiled_tables.h"

#include <gtest/gtest.h>

#include <optional>

#include "config/postfix/pgsql_table_parser.h"

namespace proxymux::pgsql {

config::TableConfig TableOfQuery(const std::string& query) {
  config::TableConfig table;
  table.hosts = {"localhost"};
  table.dbname = "mail";
  table.query = query;
  return table;
}

config::TableConfig TableOfFile(const std::string& text, const std::string& name) {
  const config::ParsedTable parsed =
      config::ParsePgsqlTable("dbname = mail\n" + text, name, config::MailVersion{3, 12});
  EXPECT_TRUE(parsed.table.has_value()) << text;
  return parsed.table.value_or(config::TableConfig{});
}

Compilation Compile(const config::TableConfig& table, const config::TableSettings& settings,
                    const DomainFilter::Fold& fold) {
  return CompiledTable::Compile(
      table, settings,
      [](const std::string&, std::string* error) -> std::optional<std::string> {
        *error = "No such file or directory";
        return std::nullopt;
      },
      fold);
}

std::shared_ptr<const CompiledTable> Compiled(const config::TableConfig& table,
                                              const config::TableSettings& settings,
                                              const DomainFilter::Fold& fold) {
  const Compilation result = Compile(table, settings, fold);
  if (const auto* errors = std::get_if<CompiledTable::Errors>(&result)) {
    ADD_FAILURE() << table.query << ": " << errors->front().ToString();
    return nullptr;
  }
  return std::get<std::shared_ptr<const CompiledTable>>(result);
}

}  // namespace proxymux::pgsql
